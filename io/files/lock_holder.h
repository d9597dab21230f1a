/* lock_holder.h: who holds a lock, as the text of its file and as a process that is there or gone. For lock.c only. */
#ifndef HS_IO_FILES_LOCK_HOLDER_H
#define HS_IO_FILES_LOCK_HOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HS_LOCK_TEXT 1024 /* bytes of the longest text, with the closing zero */

/* Texts that the system does not tell are "", numbers 0. */
typedef struct hs_lock_holder {
  char host[128];
  char boot[64];  /* differs between two starts of the machine, and between machines */
  char space[64]; /* namespace that pid is a number of */
  int64_t pid;
  int64_t start; /* of the process, in ticks since the boot: tells it from a later one of the same number */
  char job[64];  /* of SLURM */
  int64_t restarts; /* how often that job had been requeued */
  char user[64];
  char time[40]; /* when the lock was taken */
  char mark[40]; /* differs between any two locks of a process */
} hs_lock_holder_t;

/* This process, now. */
void hs_lock_holder_self(hs_lock_holder_t *holder);

/* Returns the length of the text, without the closing zero. */
size_t hs_lock_holder_format(const hs_lock_holder_t *holder, char text[HS_LOCK_TEXT]);

typedef enum hs_lock_text {
  HS_LOCK_WHOLE,  /* *holder is filled in */
  HS_LOCK_TORN,   /* empty, or the beginning of one: being written, or its writer died over it */
  HS_LOCK_FOREIGN /* no text of ours */
} hs_lock_text_t;

hs_lock_text_t hs_lock_holder_parse(const char *text, hs_lock_holder_t *holder);

typedef enum hs_lock_life {
  HS_LOCK_ALIVE,
  HS_LOCK_GONE,
  HS_LOCK_ELSEWHERE /* cannot be seen from here: its beats have to tell */
} hs_lock_life_t;

hs_lock_life_t hs_lock_holder_life(const hs_lock_holder_t *holder, const hs_lock_holder_t *self);

#endif
