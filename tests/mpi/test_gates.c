/* Gates and masks on any number of ranks, against a serial recomputation.
 *
 * Gate (i, j) is the normal number i d + j of the seed; a gate is kept if its mask 1[x . g >= 0] over ALL rows
 * is not empty and differs from the masks of all kept gates before it. With 9 rows in the plane there are at
 * most 18 different masks, so 64 sampled gates must repeat; with rows in a narrow cone some are empty.
 */
#include "base/random.h"
#include "tests/support/distributed.h"
#include "tests/support/mpi_check.h"

#define SEED 11

typedef struct expected {
  int kept, duplicates, empty;
  int index[256]; /* of the kept gates */
} expected_t;

/* What must be kept, from the masks of all rows. */
static expected_t choose(const direct_t *p)
{
  expected_t e = {0};
  for (int i = 0; i < p->gates; i++) {
    int on = 0, twin = 0;
    for (int k = 0; k < p->n; k++) on += p->mask[k * p->gates + i];
    for (int q = 0; q < e.kept && !twin; q++) {
      twin = 1;
      for (int k = 0; k < p->n; k++)
        twin = twin && p->mask[k * p->gates + i] == p->mask[k * p->gates + e.index[q]];
    }
    if (on == 0)
      e.empty++;
    else if (twin)
      e.duplicates++;
    else
      e.index[e.kept++] = i;
  }
  return e;
}

static bool as_expected(const hs_gate_set_t *set, const direct_t *p, const expected_t *e,
                        const hs_shard_t *shard)
{
  bool good = set->count == e->kept && set->duplicates == e->duplicates && set->empty == e->empty;
  good = good && set->d == p->d && set->masks.gates == set->count && set->masks.rows == shard->rows;
  for (int i = 0; good && i < set->count; i++) {
    const double *g = set->G + i * p->d, *truth = p->G + e->index[i] * p->d;
    good = memcmp(g, truth, (size_t)p->d * sizeof *g) == 0;
    for (int64_t k = 0; k < shard->rows; k++)
      good = good && hs_mask_bit(&set->masks, k, i) == p->mask[(shard->row0 + k) * p->gates + e->index[i]];
  }
  return good;
}

/* Rows (n x 2) on a cone of this half-width around the second axis, and gates drawn as the program must. */
static direct_t plane(int n, int gates, double width)
{
  direct_t p = direct_make(n, 2, gates, 1, HS_SQUARED, HS_JOINT);
  for (int k = 0; k < n; k++) {
    double angle = width * (2 * hs_random_uniform(5, 6, (uint64_t)k) - 1);
    p.X[2 * k] = sin(angle);
    p.X[2 * k + 1] = cos(angle);
  }
  for (int e = 0; e < gates * 2; e++) p.G[e] = hs_random_normal(SEED, HS_STREAM_GATES, (uint64_t)e);
  direct_masks(&p);
  return p;
}

static void check_sampled(int n, double width, bool with_empty, const char *name)
{
  direct_t p = plane(n, 64, width);
  expected_t e = choose(&p);
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 3, HS_DOUBLE);
  hs_gate_set_t set;
  hs_status_t status = hs_gate_set_sample(&set, MPI_COMM_WORLD, shard, 64, SEED);
  bool occurs = e.duplicates > 0 && (e.empty > 0 || !with_empty) && e.kept > 1;
  hs_check(MPI_COMM_WORLD, status == HS_OK && occurs && as_expected(&set, &p, &e, shard), name);
  hs_gate_set_free(&set);
  hs_shard_free(&shard);
  direct_free(&p);
}

static void test_sampled(void)
{
  check_sampled(9, 3.14, false, "9 rows in all directions: repeated masks are dropped");
  check_sampled(9, 0.3, true, "9 rows in a cone: empty masks are dropped");
  check_sampled(2, 1.2, true, "2 rows, perhaps fewer than ranks");
}

/* Many gates: more than one word of masks, on rows where no two are alike. */
static void test_many(void)
{
  direct_t p = direct_make(403, 6, 200, 1, HS_SQUARED, HS_JOINT);
  for (int e = 0; e < 200 * 6; e++) p.G[e] = hs_random_normal(SEED, HS_STREAM_GATES, (uint64_t)e);
  direct_masks(&p);
  expected_t e = choose(&p);
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 7, HS_DOUBLE);
  hs_gate_set_t set;
  hs_status_t status = hs_gate_set_sample(&set, MPI_COMM_WORLD, shard, 200, SEED);
  hs_check(MPI_COMM_WORLD, status == HS_OK && e.kept > 128 && as_expected(&set, &p, &e, shard),
           "200 gates on 403 rows");
  hs_gate_set_free(&set);
  hs_shard_free(&shard);
  direct_free(&p);
}

/* Built so that it is known which gates go: twice the first, minus the first (all masks differ unless a row
 * lies on the border), the zero gate (open everywhere) and its twin that only differs by the sign of zero. */
static void test_given(void)
{
  direct_t p = plane(9, 6, 3.14);
  const double given[12] = {1, 0.5, 2, 1, -1, -0.5, 0, 0, -0.0, 0, 0.125, 0.0625};
  memcpy(p.G, given, sizeof given);
  direct_masks(&p);
  expected_t e = {.kept = 3, .duplicates = 3, .index = {0, 2, 3}};
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 2, HS_SINGLE);
  hs_gate_set_t set;
  hs_status_t status = hs_gate_set_given(&set, MPI_COMM_WORLD, shard, 6, p.G);
  hs_check(MPI_COMM_WORLD, status == HS_OK && as_expected(&set, &p, &e, shard),
           "given gates: multiples and twins are dropped");
  hs_gate_set_free(&set);
  hs_shard_free(&shard);
  direct_free(&p);
}

static void test_none_left(void)
{
  direct_t p = plane(9, 2, 0.3);
  const double down[4] = {0, -1, 0.1, -2};
  hs_shard_t *shard = distributed_shard(MPI_COMM_WORLD, &p, 2, HS_DOUBLE);
  hs_gate_set_t set;
  hs_error_clear();
  hs_status_t status = hs_gate_set_given(&set, MPI_COMM_WORLD, shard, 2, down);
  hs_check(MPI_COMM_WORLD, status == HS_BAD_DATA && set.G == NULL && hs_error_message()[0] != '\0',
           "gates that are all off are refused on every rank");
  hs_error_clear();
  status = hs_gate_set_given(&set, MPI_COMM_WORLD, shard, 0, down);
  hs_check(MPI_COMM_WORLD, status == HS_BAD_USAGE && set.G == NULL, "no gates are refused on every rank");
  hs_shard_free(&shard);
  direct_free(&p);
}

int main(int argc, char **argv)
{
  MPI_Init(&argc, &argv);
  test_sampled();
  test_many();
  test_given();
  test_none_left();
  int code = hs_check_summary(MPI_COMM_WORLD);
  MPI_Finalize();
  return code;
}
