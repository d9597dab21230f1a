/* Checkpoints by themselves: every number at its place on any number of ranks, every byte of it watched, and the one
 * before kept until the new one is whole.
 *
 * Numbers are functions of array and position, so that what comes back is known without having been written down. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "mpi/checkpoint/checkpoint.h"
#include "mpi/checkpoint/parts.h"
#include "mpi/comm/agree.h"
#include "tests/support/mpi_check.h"

#define N 37        /* rows */
#define C 3         /* columns of arrays of rows */
#define LONG 300001 /* a replicated array of more than two MiB: several ranks write it */
#define ITERATION 12

static int rank, ranks;
static char folder[64], path[96];
static hs_settings_t settings;

typedef struct arrays {
  double *rows, *more; /* N x C and N x 1, this rank's part */
  float *single;       /* N x C */
  double *same;        /* LONG */
  int64_t counts[4];
  int64_t first, mine; /* rows of this rank */
} arrays_t;

static double number(int array, int64_t position)
{
  return 1000.0 * array + 0.25 * (double)position;
}

static arrays_t make_arrays(const hs_partition_t *partition, bool filled)
{
  arrays_t a = {.first = hs_partition_first_row(partition, partition->rank)};
  a.mine = hs_partition_first_row(partition, partition->rank + 1) - a.first;
  a.rows = hs_alloc((size_t)(a.mine * C), sizeof(double), "test");
  a.more = hs_alloc((size_t)a.mine, sizeof(double), "test");
  a.single = hs_alloc((size_t)(a.mine * C), sizeof(float), "test");
  a.same = hs_alloc(LONG, sizeof(double), "test");
  if (!filled) return a;
  for (int64_t e = 0; e < a.mine * C; e++) a.rows[e] = number(1, a.first * C + e);
  for (int64_t e = 0; e < a.mine; e++) a.more[e] = number(2, a.first + e);
  for (int64_t e = 0; e < a.mine * C; e++) a.single[e] = (float)number(3, a.first * C + e);
  for (int64_t e = 0; e < LONG; e++) a.same[e] = number(4, e);
  for (int e = 0; e < 4; e++) a.counts[e] = ((int64_t)1 << 60) + e;
  return a;
}

static bool as_made(const arrays_t *a, const hs_partition_t *partition)
{
  arrays_t truth = make_arrays(partition, true);
  bool good = memcmp(a->rows, truth.rows, (size_t)(a->mine * C) * sizeof(double)) == 0 &&
              memcmp(a->more, truth.more, (size_t)a->mine * sizeof(double)) == 0 &&
              memcmp(a->single, truth.single, (size_t)(a->mine * C) * sizeof(float)) == 0 &&
              memcmp(a->same, truth.same, LONG * sizeof(double)) == 0 &&
              memcmp(a->counts, truth.counts, sizeof truth.counts) == 0;
  hs_free(truth.rows);
  hs_free(truth.more);
  hs_free(truth.single);
  hs_free(truth.same);
  return good;
}

static void free_arrays(arrays_t *a)
{
  hs_free(a->rows);
  hs_free(a->more);
  hs_free(a->single);
  hs_free(a->same);
}

static void list(arrays_t *a, hs_state_t *state)
{
  state->count = 0;
  hs_state_add(state, HS_STORED_ROWS, "rows", -1, HS_STORED_DOUBLE, 0, C, a->rows);
  hs_state_add(state, HS_STORED_ROWS, "more", -1, HS_STORED_DOUBLE, 0, 1, a->more);
  hs_state_add(state, HS_STORED_ROWS, "single", 7, HS_STORED_FLOAT, 0, C, a->single);
  hs_state_add(state, HS_STORED_SAME, "same", -1, HS_STORED_DOUBLE, 1, LONG, a->same);
  hs_state_add(state, HS_STORED_SAME, "counts", -1, HS_STORED_INT64, 2, 2, a->counts);
}

static hs_identity_t identity(void)
{
  return (hs_identity_t){.settings = &settings, .features = 11, .targets = -12, .gates = 13};
}

static hs_history_row_t row(int64_t k)
{
  return (hs_history_row_t){
      .iteration = k, .primal = 10 - (double)k, .dual = (double)k / 3, .comm_bytes = 8e15};
}

/* Write one with `rows` rows of history. Collective over comm. */
static hs_status_t write_one(MPI_Comm comm, const char *where, int64_t rows, const char *stop)
{
  hs_partition_t partition = hs_partition_make(N, 8, hs_rank(comm), hs_ranks(comm));
  hs_history_log_t history = {0};
  hs_identity_t known = identity();
  hs_checkpoint_t *checkpoint;
  hs_state_t *state = hs_alloc(1, sizeof *state, "test");
  arrays_t a = make_arrays(&partition, true);
  hs_status_t status = hs_checkpoint_open(&checkpoint, comm, where, &known, &partition, &history);
  hs_history_log_free(&history);
  for (int64_t k = 1; k <= rows && hs_rank(comm) == 0; k++) {
    hs_history_row_t next = row(k);
    hs_history_log_add(&history, &next);
  }
  list(&a, state);
  if (status == HS_OK) status = hs_checkpoint_write(checkpoint, state, ITERATION, 0.5, stop);
  hs_checkpoint_close(&checkpoint);
  hs_history_log_free(&history);
  free_arrays(&a);
  hs_free(state);
  return status;
}

/* Read it and compare with what must be in it. Collective over comm. */
static bool reads_back(MPI_Comm comm, int64_t rows)
{
  hs_partition_t partition = hs_partition_make(N, 8, hs_rank(comm), hs_ranks(comm));
  hs_history_log_t history = {0};
  hs_identity_t known = identity();
  hs_checkpoint_t *checkpoint;
  if (hs_checkpoint_open(&checkpoint, comm, path, &known, &partition, &history) != HS_OK) return false;
  hs_state_t *state = hs_alloc(1, sizeof *state, "test");
  arrays_t a = make_arrays(&partition, false);
  list(&a, state);
  bool good = hs_checkpoint_found(checkpoint) && hs_checkpoint_iteration(checkpoint) == ITERATION &&
              hs_checkpoint_read(checkpoint, state) == HS_OK && as_made(&a, &partition);
  if (hs_rank(comm) == 0) {
    good = good && history.count == rows;
    for (int64_t k = 0; k < history.count && good; k++) {
      hs_history_row_t truth = row(k + 1);
      good = memcmp(&history.rows[k], &truth, sizeof truth) == 0;
    }
  }
  free_arrays(&a);
  hs_free(state);
  hs_history_log_free(&history);
  hs_checkpoint_close(&checkpoint);
  return good;
}

/* ---- tests ---- */

static void test_parts_cover(void)
{
  bool good = true;
  int64_t first_row[1001];
  for (int64_t writers = 1; writers <= 1000; writers = writers < 8 ? writers + 1 : writers * 5) {
    for (int64_t w = 0; w <= writers; w++) first_row[w] = w * N / writers;
    for (int kind = HS_STORED_SAME; kind <= HS_STORED_ROOT; kind++) {
      hs_stored_array_t array = {.kind = (hs_stored_kind_t)kind, .rows = N, .columns = 123457};
      int64_t next = 0;
      for (int64_t w = 0; w < writers; w++) {
        hs_part_t part = hs_part_of(&array, first_row, writers, w);
        good = good && part.bytes >= 0 && (part.bytes == 0 || part.offset == next);
        next += part.bytes;
      }
      good = good && next == hs_stored_bytes(&array);
    }
  }
  hs_check(MPI_COMM_WORLD, good, "the parts of all writers cover an array once");
}

/* Written by all, read by the first 1, 2, .. of them. */
static void test_other_ranks(void)
{
  bool good = write_one(MPI_COMM_WORLD, path, 5, "running") == HS_OK;
  hs_check(MPI_COMM_WORLD, good, "written by all ranks");
  for (int readers = 1; readers <= ranks; readers++) {
    MPI_Comm some;
    MPI_Comm_split(MPI_COMM_WORLD, rank < readers ? 0 : MPI_UNDEFINED, rank, &some);
    bool back = some == MPI_COMM_NULL || reads_back(some, 5);
    if (some != MPI_COMM_NULL) MPI_Comm_free(&some);
    hs_check(MPI_COMM_WORLD, back, "every number is back on some of the ranks");
  }
  good = rank != 0 || write_one(MPI_COMM_SELF, path, 0, "running") == HS_OK;
  MPI_Barrier(MPI_COMM_WORLD);
  hs_check(MPI_COMM_WORLD, good, "written by rank 0 alone");
  hs_check(MPI_COMM_WORLD, reads_back(MPI_COMM_WORLD, 0), "and read by all, without history");
}

static void turn_byte(int64_t at)
{
  unsigned char byte;
  int file = open(path, O_RDWR);
  if (file < 0 || pread(file, &byte, 1, (off_t)at) != 1) abort();
  byte ^= 0x40;
  if (pwrite(file, &byte, 1, (off_t)at) != 1 || close(file) != 0) abort();
}

static void test_damage(void)
{
  write_one(MPI_COMM_WORLD, path, 5, "running");
  hs_checkpoint_facts_t facts;
  hs_checkpoint_frame_t frame;
  bool good = hs_checkpoint_frame_read(path, &facts, &frame) == HS_OK && frame.count == 6;
  hs_checkpoint_facts_clear(&facts);
  hs_check(MPI_COMM_WORLD, good, "the frame tells all arrays");
  for (int i = 0; i <= frame.count && good; i++) {
    /* First, middle and last byte of each array; then of the hashes. */
    int64_t bytes = i < frame.count ? hs_stored_bytes(&frame.array[i]) : 8 * ranks * frame.count;
    int64_t offset = i < frame.count ? frame.array[i].offset : frame.hashes;
    const int64_t places[] = {0, bytes / 2, bytes - 1};
    for (int k = 0; k < 3 && good; k++) {
      if (rank == 0) turn_byte(offset + places[k]);
      MPI_Barrier(MPI_COMM_WORLD);
      hs_error_clear();
      good = !reads_back(MPI_COMM_WORLD, 5) && strstr(hs_error_message(), "damaged") != NULL;
      MPI_Barrier(MPI_COMM_WORLD);
      if (rank == 0) turn_byte(offset + places[k]);
    }
  }
  hs_error_clear();
  hs_check(MPI_COMM_WORLD, good, "a turned bit in any array is noticed");
  MPI_Barrier(MPI_COMM_WORLD);
  hs_check(MPI_COMM_WORLD, reads_back(MPI_COMM_WORLD, 5), "and turned back it reads again");
}

/* Where a new one cannot be made, the old one stays. */
static void test_failure(void)
{
  write_one(MPI_COMM_WORLD, path, 3, "running");
  char blocked[128];
  snprintf(blocked, sizeof blocked, "%s.new", path);
  if (rank == 0 && mkdir(blocked, 0700) != 0) abort();
  MPI_Barrier(MPI_COMM_WORLD);
  hs_error_clear();
  bool good = write_one(MPI_COMM_WORLD, path, 4, "running") == HS_IO;
  hs_check(MPI_COMM_WORLD, good && strstr(hs_error_message(), ".new") != NULL,
           "a checkpoint that cannot be written: the same status and message on all ranks");
  hs_error_clear();
  if (rank == 0) rmdir(blocked);
  MPI_Barrier(MPI_COMM_WORLD);
  hs_check(MPI_COMM_WORLD, reads_back(MPI_COMM_WORLD, 3), "the one before it is whole");
  hs_check(MPI_COMM_WORLD, write_one(MPI_COMM_WORLD, "/nowhere/at/all.ckpt", 1, "running") == HS_IO,
           "a folder that is not there");
  hs_error_clear();
}

/* The state is what costs room: the file is hardly larger. */
static void test_size(void)
{
  write_one(MPI_COMM_WORLD, path, 3, "running");
  struct stat on_disk;
  double state = 8.0 * LONG + N * (8.0 * C + 8.0 + 4.0 * C) + 32;
  bool good =
      stat(path, &on_disk) == 0 && (double)on_disk.st_size < 1.3 * state && (double)on_disk.st_size >= state;
  hs_check(MPI_COMM_WORLD, good, "the file is at most 1.3 times the state");
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  rank = hs_rank(MPI_COMM_WORLD);
  ranks = hs_ranks(MPI_COMM_WORLD);
  hs_settings_default(&settings);
  if (rank == 0) {
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.40s/ckpt_XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(folder) == NULL) abort();
  }
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, MPI_COMM_WORLD);
  snprintf(path, sizeof path, "%s/run.ckpt", folder);
  test_parts_cover();
  test_other_ranks();
  test_damage();
  test_failure();
  test_size();
  if (rank == 0) {
    unlink(path);
    rmdir(folder);
  }
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
