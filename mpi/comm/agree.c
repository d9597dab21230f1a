#include "mpi/comm/agree.h"

#include <stdio.h>
#include <string.h>

void hs_mpi_check(int code, const char *call, const char *file, int line)
{
  hs_watch_leave();
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  fprintf(stderr, "halfspace: error: %s:%d: %s: %s\n", file, line, call, text);
  hs_watch_enter("MPI_Abort"); /* it may wait for a daemon that is gone */
  MPI_Abort(MPI_COMM_WORLD, HS_IO);
}

int hs_rank(MPI_Comm comm)
{
  int rank;
  HS_MPI(MPI_Comm_rank(comm, &rank));
  return rank;
}

int hs_ranks(MPI_Comm comm)
{
  int ranks;
  HS_MPI(MPI_Comm_size(comm, &ranks));
  return ranks;
}

int hs_ranks_on_node(MPI_Comm comm)
{
  MPI_Comm node;
  HS_MPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  int ranks = hs_ranks(node);
  HS_MPI(MPI_Comm_free(&node));
  return ranks;
}

hs_status_t hs_agree(MPI_Comm comm, hs_status_t local)
{
  struct {
    int code, rank;
  } mine = {(int)local, hs_rank(comm)}, worst;
  HS_MPI(MPI_Allreduce(&mine, &worst, 1, MPI_2INT, MPI_MAXLOC, comm));
  if (worst.code == HS_OK) return HS_OK;
  /* MAXLOC gives the lowest rank among equals: that rank's message is the one told. */
  char message[HS_ERROR_LENGTH] = "";
  if (mine.rank == worst.rank) snprintf(message, sizeof message, "%s", hs_error_message());
  HS_MPI(MPI_Bcast(message, (int)sizeof message, MPI_CHAR, worst.rank, comm));
  hs_error_set(message);
  return (hs_status_t)worst.code;
}
