/* io.c: data files and checkpoints against plain writes and reads of as many bytes. What is written is brought to the
 * disk, by both; what is read has just been written, hence comes from the memory of the system, for both. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/size.h"
#include "io/hdf5/data_file.h"
#include "io/importers/table_writer.h"
#include "mpi/bench/sections.h"
#include "mpi/checkpoint/checkpoint.h"
#include "mpi/comm/agree.h"
#include "synthetic/synthetic.h"

#define ROWS 200000
#define FEATURES 50
#define PATH 1024
#define PIECE ((size_t)1 << 30) /* bytes of one call of the system */

typedef struct io {
  hs_bench_t *bench;
  char data[PATH], checkpoint[PATH], plain[PATH]; /* names of files */
  hs_partition_t partition;
  int64_t first, rows;   /* of this rank */
  double *X, *y;         /* rows of this rank; on rank 0 all of them. Owned */
  double *own;           /* of this rank, within X; borrowed */
  double *back, *y_back; /* what is read, owned */
} io_t;

typedef hs_status_t act_t(io_t *io);

/* ---- plain files ---- */

static hs_status_t file_error(const char *path, const char *what)
{
  return hs_fail(HS_IO, path, NULL, "cannot be %s: %s (another folder: folder=)", what, strerror(errno));
}

static hs_status_t move(io_t *io, int64_t offset, int64_t bytes, char *memory, bool writing)
{
  int file =
      writing ? open(io->plain, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) : open(io->plain, O_RDONLY | O_CLOEXEC);
  bool good = file >= 0;
  for (int64_t done = 0; good && done < bytes;) {
    size_t piece = (size_t)hs_min64((int64_t)PIECE, bytes - done);
    ssize_t now = writing ? pwrite(file, memory + done, piece, (off_t)(offset + done))
                          : pread(file, memory + done, piece, (off_t)(offset + done));
    if (now < 0 && errno == EINTR) continue;
    good = now > 0;
    done += good ? now : 0;
  }
  if (good && writing) good = fsync(file) == 0 || errno == EINVAL;
  hs_status_t status = good ? HS_OK : file_error(io->plain, writing ? "written" : "read");
  if (file >= 0) close(file);
  return status;
}

static int64_t row_bytes(int64_t rows)
{
  return rows * FEATURES * (int64_t)sizeof(double);
}

static hs_status_t plain_write_first(io_t *io)
{
  if (io->bench->rank != 0) return HS_OK;
  return move(io, 0, row_bytes(ROWS), (char *)io->X, true);
}

static hs_status_t plain_write(io_t *io)
{
  return move(io, row_bytes(io->first), row_bytes(io->rows), (char *)io->own, true);
}

static hs_status_t plain_read(io_t *io)
{
  return move(io, row_bytes(io->first), row_bytes(io->rows), (char *)io->back, false);
}

/* ---- ours ---- */

/* As import does it: by one process. */
static hs_status_t write_data(io_t *io)
{
  if (io->bench->rank != 0) return HS_OK;
  hs_table_form_t form = {
      .rows = ROWS, .features = FEATURES, .targets = 1, .precision = HS_DOUBLE, .task = "regression"};
  hs_table_writer_t *writer;
  hs_status_t status = hs_table_create(&writer, io->data, &form);
  if (status == HS_OK) status = hs_table_write(writer, 0, ROWS, io->X, io->y);
  if (status == HS_OK) status = hs_table_close(writer);
  if (status == HS_OK) status = hs_table_commit(writer);
  hs_table_free(&writer);
  return status;
}

/* As training does it: every rank its rows. */
static hs_status_t read_data(io_t *io)
{
  hs_data_file_t *file;
  hs_data_info_t info;
  hs_status_t status = hs_data_open(&file, io->data, "features", "targets", &info);
  if (status == HS_OK) status = hs_data_read_features(file, io->first, io->rows, io->back);
  if (status == HS_OK) status = hs_data_read_targets(file, io->first, io->rows, io->y_back);
  hs_data_close(&file);
  return status;
}

static hs_status_t use_checkpoint(io_t *io, bool writing)
{
  hs_settings_t *settings = hs_alloc(1, sizeof *settings, "benchmark");
  hs_state_t *state = hs_alloc(1, sizeof *state, "benchmark");
  hs_checkpoint_t *checkpoint = NULL;
  hs_history_log_t history = {0};
  hs_identity_t identity = {.settings = settings};
  hs_status_t status = hs_agree(io->bench->comm, settings != NULL && state != NULL ? HS_OK : HS_NO_MEMORY);
  if (status == HS_OK) {
    hs_settings_default(settings);
    hs_state_add(state, HS_STORED_ROWS, "rows", -1, HS_STORED_DOUBLE, 0, FEATURES,
                 writing ? io->own : io->back);
    status =
        hs_checkpoint_open(&checkpoint, io->bench->comm, io->checkpoint, &identity, &io->partition, &history);
  }
  if (status == HS_OK)
    status = writing ? hs_checkpoint_write(checkpoint, state, 1, 1, "running")
                     : hs_checkpoint_read(checkpoint, state);
  hs_checkpoint_close(&checkpoint);
  hs_history_log_free(&history);
  hs_free(settings);
  hs_free(state);
  return status;
}

static hs_status_t write_checkpoint(io_t *io)
{
  return use_checkpoint(io, true);
}

static hs_status_t read_checkpoint(io_t *io)
{
  return use_checkpoint(io, false);
}

/* ---- measurement ---- */

typedef struct way {
  const char *file, *act;
  act_t *ours, *plain;
  bool fresh; /* files of an earlier round are removed first */
} way_t;

static const way_t ways[] = {{"data file", "write (one rank)", write_data, plain_write_first, true},
                             {"data file", "read (all ranks)", read_data, plain_read, false},
                             {"checkpoint", "write (all ranks)", write_checkpoint, plain_write, true},
                             {"checkpoint", "read (all ranks)", read_checkpoint, plain_read, false}};
enum { WAYS = sizeof ways / sizeof *ways };

static void remove_files(const io_t *io)
{
  if (io->bench->rank != 0) return;
  unlink(io->data);
  unlink(io->checkpoint);
  unlink(io->plain);
}

/* Seconds of the slowest rank. Collective. */
static hs_status_t measure(io_t *io, act_t *act, double *shortest)
{
  MPI_Comm comm = io->bench->comm;
  HS_MPI(MPI_Barrier(comm));
  double begin = MPI_Wtime();
  hs_status_t status = hs_agree(comm, act(io));
  double seconds = MPI_Wtime() - begin;
  HS_MPI(MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, comm));
  *shortest = fmin(*shortest, seconds);
  return status;
}

static hs_status_t measure_all(io_t *io, double seconds[WAYS][2])
{
  hs_status_t status = HS_OK;
  for (int way = 0; way < WAYS; way++) seconds[way][0] = seconds[way][1] = INFINITY;
  for (int repeat = 0; repeat < io->bench->repeats; repeat++)
    for (int way = 0; way < WAYS && status == HS_OK; way++) {
      if (ways[way].fresh) {
        remove_files(io);
        HS_MPI(MPI_Barrier(io->bench->comm));
      }
      status = measure(io, ways[way].ours, &seconds[way][0]);
      if (status == HS_OK) status = measure(io, ways[way].plain, &seconds[way][1]);
    }
  return status;
}

static void print(hs_results_t *results, double seconds[WAYS][2])
{
  static const hs_column_t columns[] = {{"file", "file"},       {"act", "act"},   {"megabytes", "MB"},
                                        {"seconds", "seconds"}, {"rate", "MB/s"}, {"plain_rate", "plain"},
                                        {"percent", "%"}};
  double megabytes = (double)row_bytes(ROWS) / 1e6;
  hs_results_table(
      results, "io",
      "against plain writes and reads of as many bytes; writes wait for the disk, reads come from memory",
      columns, sizeof columns / sizeof *columns);
  for (int way = 0; way < WAYS; way++) {
    hs_results_text(results, "%s", ways[way].file);
    hs_results_text(results, "%s", ways[way].act);
    hs_results_number(results, megabytes, 0);
    hs_results_number(results, seconds[way][0], 3);
    hs_results_number(results, megabytes / seconds[way][0], 0);
    hs_results_number(results, megabytes / seconds[way][1], 0);
    hs_results_number(results, 100 * seconds[way][1] / seconds[way][0], 0);
  }
  hs_results_end(results);
}

/* Names that no other process uses. Collective. */
static hs_status_t name_files(io_t *io)
{
  const char *folder = io->bench->folder;
  long process = getpid();
  HS_MPI(MPI_Bcast(&process, 1, MPI_LONG, 0, io->bench->comm));
  int length = snprintf(io->checkpoint, PATH, "%s/halfspace-bench-%ld.ckpt", folder, process);
  if (length >= PATH) return hs_fail(HS_BAD_USAGE, NULL, "folder", "'%.60s...' is too long a name", folder);
  snprintf(io->data, PATH, "%s/halfspace-bench-%ld.h5", folder, process);
  snprintf(io->plain, PATH, "%s/halfspace-bench-%ld", folder, process);
  return HS_OK;
}

static hs_status_t allocate(io_t *io)
{
  bool first = io->bench->rank == 0;
  size_t held = (size_t)(first ? ROWS : io->rows), own = (size_t)io->rows;
  io->X = hs_alloc(held * FEATURES, sizeof *io->X, "benchmark");
  io->y = hs_alloc(held, sizeof *io->y, "benchmark");
  io->back = hs_alloc(own * FEATURES, sizeof *io->back, "benchmark");
  io->y_back = hs_alloc(own, sizeof *io->y_back, "benchmark");
  if (io->X == NULL || io->y == NULL || io->back == NULL || io->y_back == NULL) return HS_NO_MEMORY;
  hs_synthetic_t *synthetic;
  hs_status_t status = hs_synthetic_create(&synthetic, HS_GAUSSIAN, FEATURES, 0, 1);
  if (status != HS_OK) return status;
  hs_synthetic_rows(synthetic, first ? 0 : io->first, (int64_t)held, io->X, io->y);
  hs_synthetic_free(&synthetic);
  io->own = io->X; /* the rows of rank 0 are the first ones */
  return HS_OK;
}

hs_status_t hs_bench_io(hs_bench_t *bench)
{
  double seconds[WAYS][2];
  io_t io = {.bench = bench, .partition = hs_partition_make(ROWS, bench->ranks, bench->rank, bench->ranks)};
  io.first = hs_partition_first_row(&io.partition, bench->rank);
  io.rows = hs_partition_first_row(&io.partition, bench->rank + 1) - io.first;
  hs_status_t status = name_files(&io);
  if (status == HS_OK) status = hs_agree(bench->comm, allocate(&io));
  if (status == HS_OK) {
    status = measure_all(&io, seconds);
    remove_files(&io);
  }
  if (status == HS_OK) print(&bench->results, seconds);
  hs_free(io.X);
  hs_free(io.y);
  hs_free(io.back);
  hs_free(io.y_back);
  return status;
}
