/* lock_private.h: the circumstances of locks, which tests change. For lock.c and its test only. */
#ifndef HS_IO_FILES_LOCK_PRIVATE_H
#define HS_IO_FILES_LOCK_PRIVATE_H

#include <stdbool.h>

#include "io/files/lock.h"

typedef struct hs_lock_terms {
  double stale;  /* seconds without a beat after which a holder elsewhere counts as dead */
  double poll;   /* seconds between two looks at a lock that is watched */
  bool one_name; /* take it that files cannot have two names here */
} hs_lock_terms_t;

hs_status_t hs_lock_take_on(hs_lock_t **lock, const char *path, const hs_lock_terms_t *terms);

#endif
