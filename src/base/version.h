/* version.h: which halfspace this is. */
#ifndef HS_BASE_VERSION_H
#define HS_BASE_VERSION_H

#define HS_VERSION "0.1.0"

/* The commit this program was built from; "unknown" when it was built outside a repository. */
const char *hs_commit(void);

#endif
