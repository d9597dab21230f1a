/* Rounds of search for gates in the run file: what is written comes back, the last table counts, and a damaged one is no
 * table. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/hdf5/h5.h"
#include "io/run/run_rounds.h"

#define MOST 5

static char folder[] = "/tmp/hs_run_rounds_XXXXXX";
static char path[64];

/* A different number everywhere. */
static hs_gate_round_t round_of(int64_t k)
{
  double base = 100.0 * (double)(k + 1);
  return (hs_gate_round_t){.round = k,
                           .gates = 10 * k + 1,
                           .active = 10 * k + 2,
                           .added = 10 * k + 3,
                           .iteration = 10 * k + 4,
                           .best_price = k == 2 ? NAN : base + 0.5,
                           .objective = base + 0.6,
                           .dual = base + 0.7,
                           .seconds = base + 0.8};
}

static void write_file(int64_t first_count, int64_t count)
{
  hs_provenance_t provenance = {.version = "1", .commit = "c"};
  hs_gate_round_t table[MOST];
  hs_run_t *run;
  for (int64_t k = 0; k < MOST; k++) table[k] = round_of(k);
  assert_int_equal(hs_run_create(&run, path, "seed: 1\n", &provenance), HS_OK);
  if (first_count > 0) {
    hs_run_rounds_t first = {.count = first_count, .round = table, .price = (char *)"gated"};
    assert_int_equal(hs_run_write_rounds(run, &first), HS_OK);
  }
  if (count > 0) {
    hs_run_rounds_t rounds = {.count = count, .round = table, .price = (char *)"relu"};
    assert_int_equal(hs_run_write_rounds(run, &rounds), HS_OK);
  }
  assert_int_equal(hs_run_finish(run, "converged", 1), HS_OK);
  assert_int_equal(hs_run_close(&run), HS_OK);
}

static void comes_back(void **state)
{
  (void)state;
  hs_run_rounds_t rounds;
  write_file(2, 4);
  assert_int_equal(hs_run_read_rounds(path, &rounds), HS_OK);
  assert_int_equal(rounds.count, 4);
  assert_string_equal(rounds.price, "relu");
  for (int64_t k = 0; k < 4; k++) {
    hs_gate_round_t wanted = round_of(k);
    assert_memory_equal(&rounds.round[k], &wanted, sizeof wanted);
  }
  hs_run_rounds_clear(&rounds);
  assert_null(rounds.round);
}

static void none_is_no_error(void **state)
{
  (void)state;
  hs_run_rounds_t rounds;
  write_file(0, 0);
  assert_int_equal(hs_run_read_rounds(path, &rounds), HS_OK);
  assert_int_equal(rounds.count, 0);
  hs_run_rounds_clear(&rounds);
}

static void damage_is_told(void **state)
{
  (void)state;
  static const char *const lost[] = {"gate_rounds/dual", "gate_rounds/round"};
  for (int i = 0; i < 2; i++) {
    hs_run_rounds_t rounds;
    write_file(0, 3);
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0 && H5Ldelete(file, lost[i], H5P_DEFAULT) >= 0);
    H5Fclose(file);
    assert_int_equal(hs_run_read_rounds(path, &rounds), HS_BAD_DATA);
    assert_int_equal(rounds.count, 0);
    assert_non_null(strstr(hs_error_message(), "gate_rounds"));
    hs_error_clear();
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(comes_back), cmocka_unit_test(none_is_no_error),
                                     cmocka_unit_test(damage_is_told)};
  if (mkdtemp(folder) == NULL) return 1;
  snprintf(path, sizeof path, "%s/run.h5", folder);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  unlink(path);
  rmdir(folder);
  return failed;
}
