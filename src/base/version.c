#include "base/version.h"

#ifndef HS_COMMIT
#define HS_COMMIT "unknown"
#endif

const char *hs_commit(void)
{
  return HS_COMMIT;
}
