#include "cli/predict.h"

#include <inttypes.h>
#include <mpi.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/size.h"
#include "cli/application.h"
#include "cli/arguments.h"
#include "io/hdf5/predictions.h"
#include "model/probabilities.h"
#include "mpi/comm/agree.h"

#define SLAB_NUMBERS ((int64_t)1 << 20) /* numbers of one kind that rank 0 holds at a time */
#define TAG_SCORES 71

/* What rank 0 needs to write one model. */
typedef struct writer {
  hs_predictions_t *file;
  const hs_model_t *model;
  int64_t slab; /* rows at a time */
  double *scores, *probabilities;
  int64_t *labels;
} writer_t;

static int64_t slab_rows(const hs_model_t *model)
{
  return hs_max64(1, SLAB_NUMBERS / hs_max64(model->outputs, model->classes));
}

static hs_status_t writer_open(writer_t *writer, hs_predictions_t *file, const hs_model_t *model,
                               hs_kind_t kind, int64_t rows)
{
  bool probable = hs_model_has_probabilities(model);
  size_t slab = (size_t)slab_rows(model);
  *writer = (writer_t){.file = file, .model = model, .slab = (int64_t)slab};
  writer->scores = hs_alloc(slab * (size_t)model->outputs, sizeof(double), "scores");
  writer->labels = hs_alloc(slab, sizeof(int64_t), "classes");
  writer->probabilities = hs_alloc(slab * (size_t)model->classes, sizeof(double), "probabilities");
  if (writer->scores == NULL || writer->labels == NULL || writer->probabilities == NULL) return HS_NO_MEMORY;
  return hs_predictions_begin(file, hs_kind_name(kind), rows, model->outputs, model->classes,
                              model->class_names, probable ? model->classes : 0);
}

static void writer_close(writer_t *writer)
{
  hs_free(writer->scores);
  hs_free(writer->labels);
  hs_free(writer->probabilities);
}

static hs_status_t write_slab(writer_t *writer, int64_t first, int64_t count, const double *scores)
{
  const hs_model_t *model = writer->model;
  bool classes = model->classes > 0, probable = hs_model_has_probabilities(model);
  for (int64_t k = 0; classes && k < count; k++)
    writer->labels[k] = model->class_values[hs_model_class(model->outputs, scores + k * model->outputs)];
  if (probable) hs_model_probabilities(model, count, scores, writer->probabilities);
  return hs_predictions_write(writer->file, first, count, scores, classes ? writer->labels : NULL,
                              probable ? writer->probabilities : NULL);
}

/* Rank 0 takes the ranks one after the other. After a failure it goes on receiving, so that nobody waits for
 * ever, and writes no more. */
static hs_status_t collect(writer_t *writer, MPI_Comm comm, const hs_partition_t *partition,
                           const double *own)
{
  hs_status_t status = HS_OK;
  int C = writer->model->outputs;
  for (int rank = 0; rank < partition->ranks; rank++) {
    int64_t begin = hs_partition_first_row(partition, rank),
            end = hs_partition_first_row(partition, rank + 1);
    for (int64_t first = begin; first < end; first += writer->slab) {
      int64_t count = hs_min64(writer->slab, end - first);
      const double *scores = rank == 0 ? own + first * C : writer->scores;
      if (rank > 0)
        HS_MPI(MPI_Recv(writer->scores, (int)(count * C), MPI_DOUBLE, rank, TAG_SCORES, comm,
                        MPI_STATUS_IGNORE));
      if (status == HS_OK) status = write_slab(writer, first, count, scores);
    }
  }
  return status;
}

/* Synchronous: what has not been asked for stays here, not in the memory of rank 0. */
static void send(const hs_application_t *application, const double *scores)
{
  int64_t rows = application->shard->rows, step = slab_rows(&application->model);
  int C = application->model.outputs;
  for (int64_t k = 0; k < rows; k += step)
    HS_MPI(MPI_Ssend(scores + k * C, (int)(hs_min64(step, rows - k) * C), MPI_DOUBLE, 0, TAG_SCORES,
                     application->comm));
}

/* Collective; file is NULL except on rank 0. */
static hs_status_t predict(const hs_application_t *application, hs_kind_t kind, hs_predictions_t *file)
{
  const hs_shard_t *shard = application->shard;
  const hs_model_t *model = &application->model;
  bool writes = shard->partition.rank == 0;
  writer_t writer = {0};
  double *scores = hs_alloc((size_t)shard->rows * (size_t)model->outputs, sizeof *scores, "scores");
  hs_status_t status = scores != NULL ? HS_OK : HS_NO_MEMORY;
  if (status == HS_OK) status = hs_application_score(application, kind, scores);
  if (status == HS_OK && writes) status = writer_open(&writer, file, model, kind, shard->partition.rows);
  status = hs_agree(application->comm, status);
  if (status == HS_OK) {
    if (writes)
      status = collect(&writer, application->comm, &shard->partition, scores);
    else
      send(application, scores);
    status = hs_agree(application->comm, status);
  }
  writer_close(&writer);
  hs_free(scores);
  return status;
}

static bool same_file(const char *a, const char *b)
{
  struct stat first, second;
  return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

/* Rank 0 alone; the others return HS_OK. */
static hs_status_t create(hs_predictions_t **file, const char *const *paths)
{
  *file = NULL;
  if (hs_rank(MPI_COMM_WORLD) != 0) return HS_OK;
  for (int i = 0; i < 2; i++)
    if (same_file(paths[i], paths[2]))
      return hs_fail(HS_BAD_USAGE, paths[2], NULL,
                     "is an input of this command (give the predictions a name of their own)");
  return hs_predictions_create(file, paths[2], paths[0], paths[1]);
}

hs_status_t hs_command_predict(int argc, char **argv)
{
  static const char *const names[] = {"RUN.h5", "DATA.h5", "OUT.h5"};
  const char *paths[3], *features = NULL;
  const hs_argument_t known[] = {{"features", NULL, &features}};
  int count;
  hs_status_t status = hs_arguments_sort(argc, argv, known, 1, names, 3, 3, paths, &count);
  if (status != HS_OK) return status;
  hs_application_t application;
  status = hs_application_open(&application, MPI_COMM_WORLD, paths[0], paths[1], features, NULL, false);
  if (status != HS_OK) return status;
  hs_predictions_t *file;
  status = hs_agree(MPI_COMM_WORLD, create(&file, paths));
  for (int kind = 0; kind < HS_KINDS && status == HS_OK; kind++)
    if (hs_application_has(&application, (hs_kind_t)kind))
      status = predict(&application, (hs_kind_t)kind, file);
  hs_status_t closed = hs_predictions_close(&file, status == HS_OK);
  status = hs_agree(MPI_COMM_WORLD, status != HS_OK ? status : closed);
  if (status == HS_OK)
    hs_log("predictions of %" PRId64 " rows, %s: %s", application.shard->partition.rows,
           application.model.neurons > 0 ? "gated and relu" : "gated", paths[2]);
  hs_application_close(&application);
  return status;
}

void hs_predict_help(FILE *stream)
{
  fputs("OUT.h5 receives for each model in the run, MODEL = gated, relu:\n"
        "  /MODEL/scores         [rows, outputs]\n"
        "  /MODEL/classes        [rows], labels as in the training file; the attribute names holds the names "
        "of\n"
        "                        the classes (classification)\n"
        "  /MODEL/probabilities  [rows, classes] (logistic and softmax losses)\n"
        "Targets in DATA.h5 are not needed.\n\n"
        "  features=NAME         data set of the features (default: as in training)\n",
        stream);
}
