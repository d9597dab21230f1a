/* Bytes of plain, gzip and bzip2 files.
 *
 * The problem: 300000 known bytes, packed by zlib and libbz2 in one member or two. The answer: the same
 * bytes, in reads of any length, also after rewinding; and an error, never fewer bytes, when the packed file
 * is cut anywhere. */
#include <bzlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "io/importers/bytes.h"

enum { LENGTH = 300000, ROOM = 2 * LENGTH };

typedef struct {
  char path[64];
  unsigned char *plain, *packed;
  size_t packed_length;
} fixture_t;

static int set_up(void **state)
{
  fixture_t *f = calloc(1, sizeof *f);
  if (f == NULL) return 1;
  *state = f;
  strcpy(f->path, "/tmp/hs_bytes_XXXXXX");
  int file = mkstemp(f->path);
  if (file < 0) return 1;
  close(file);
  f->plain = malloc(LENGTH);
  f->packed = malloc(ROOM);
  if (f->plain == NULL || f->packed == NULL) return 1;
  /* half random, so that it packs to many blocks, half text */
  for (size_t k = 0; k < LENGTH; k++)
    f->plain[k] = (unsigned char)(k < LENGTH / 2 ? hs_random_bits(3, HS_STREAM_SYNTHETIC, k) : 'a' + k % 17);
  return 0;
}

static int tear_down(void **state)
{
  fixture_t *f = *state;
  unlink(f->path);
  free(f->plain);
  free(f->packed);
  free(f);
  return 0;
}

static void append_gzip(fixture_t *f, size_t from, size_t length)
{
  z_stream stream = {0};
  assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = f->plain + from;
  stream.avail_in = (uInt)length;
  stream.next_out = f->packed + f->packed_length;
  stream.avail_out = (uInt)(ROOM - f->packed_length);
  assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
  f->packed_length = ROOM - stream.avail_out;
  deflateEnd(&stream);
}

static void append_bzip2(fixture_t *f, size_t from, size_t length)
{
  unsigned room = (unsigned)(ROOM - f->packed_length);
  assert_int_equal(BZ2_bzBuffToBuffCompress((char *)f->packed + f->packed_length, &room,
                                            (char *)f->plain + from, (unsigned)length, 1, 0, 0),
                   BZ_OK);
  f->packed_length += room;
}

static void write_file(const fixture_t *f, const void *bytes, size_t length)
{
  FILE *file = fopen(f->path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
}

/* Read to the end in steps; the status of the first failure. */
static hs_status_t read_all(const fixture_t *f, size_t step, bool twice)
{
  static unsigned char found[ROOM];
  hs_bytes_t *bytes;
  hs_error_clear();
  hs_status_t status = hs_bytes_open(&bytes, f->path);
  for (int pass = 0; status == HS_OK && pass < 1 + twice; pass++) {
    size_t total = 0, got = step;
    while (status == HS_OK && got == step && total + step <= ROOM) {
      status = hs_bytes_read(bytes, found + total, step, &got);
      total += got;
    }
    if (status != HS_OK) break;
    assert_int_equal(total, LENGTH);
    assert_memory_equal(found, f->plain, LENGTH);
    status = hs_bytes_rewind(bytes);
  }
  hs_bytes_close(&bytes);
  return status;
}

static void plain_bytes_pass(void **state)
{
  fixture_t *f = *state;
  write_file(f, f->plain, LENGTH);
  assert_int_equal(read_all(f, 1000, true), HS_OK);
  assert_int_equal(read_all(f, LENGTH + 1, true), HS_OK);
}

typedef void (*append_t)(fixture_t *f, size_t from, size_t length);

static void assert_members_are_read(fixture_t *f, append_t append)
{
  for (size_t first = 0; first <= LENGTH; first += LENGTH / 3) {
    f->packed_length = 0;
    if (first > 0) append(f, 0, first);
    if (first < LENGTH) append(f, first, LENGTH - first);
    write_file(f, f->packed, f->packed_length);
    assert_int_equal(read_all(f, 7777, true), HS_OK);
    assert_int_equal(read_all(f, 1 << 18, false), HS_OK);
  }
}

static void assert_cuts_are_errors(fixture_t *f, append_t append)
{
  f->packed_length = 0;
  append(f, 0, LENGTH);
  for (size_t cut = 1; cut <= 20; cut++) {
    write_file(f, f->packed, f->packed_length - cut);
    assert_int_equal(read_all(f, 50000, false), HS_BAD_DATA);
    assert_non_null(strstr(hs_error_message(), "truncated"));
  }
  for (size_t length = 10; length < f->packed_length; length = length * 3 / 2) {
    write_file(f, f->packed, length);
    assert_int_equal(read_all(f, 50000, false), HS_BAD_DATA);
  }
}

static void assert_damage_is_found(fixture_t *f, append_t append)
{
  f->packed_length = 0;
  append(f, 0, LENGTH);
  f->packed[f->packed_length / 2] ^= 0x10;
  write_file(f, f->packed, f->packed_length);
  assert_int_equal(read_all(f, 50000, false), HS_BAD_DATA);
  f->packed[f->packed_length / 2] ^= 0x10;
  memset(f->packed + f->packed_length, 0, 700); /* padding of tapes */
  write_file(f, f->packed, f->packed_length + 700);
  assert_int_equal(read_all(f, 50000, false), HS_OK);
  f->packed[f->packed_length + 3] = 'x';
  write_file(f, f->packed, f->packed_length + 700);
  assert_int_equal(read_all(f, 50000, false), HS_BAD_DATA);
}

static void gzip_is_unpacked(void **state)
{
  assert_members_are_read(*state, append_gzip);
}

static void bzip2_is_unpacked(void **state)
{
  assert_members_are_read(*state, append_bzip2);
}

static void cut_gzip_is_an_error(void **state)
{
  assert_cuts_are_errors(*state, append_gzip);
  assert_damage_is_found(*state, append_gzip);
}

static void cut_bzip2_is_an_error(void **state)
{
  assert_cuts_are_errors(*state, append_bzip2);
  assert_damage_is_found(*state, append_bzip2);
}

static void folders_and_missing_files_are_errors(void **state)
{
  (void)state;
  hs_bytes_t *bytes;
  hs_error_clear();
  assert_int_equal(hs_bytes_open(&bytes, "/tmp"), HS_BAD_DATA);
  assert_null(bytes);
  hs_error_clear();
  assert_int_equal(hs_bytes_open(&bytes, "/tmp/hs no such file"), HS_BAD_DATA);
  assert_non_null(strstr(hs_error_message(), "hs no such file"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(plain_bytes_pass, set_up, tear_down),
      cmocka_unit_test_setup_teardown(gzip_is_unpacked, set_up, tear_down),
      cmocka_unit_test_setup_teardown(bzip2_is_unpacked, set_up, tear_down),
      cmocka_unit_test_setup_teardown(cut_gzip_is_an_error, set_up, tear_down),
      cmocka_unit_test_setup_teardown(cut_bzip2_is_an_error, set_up, tear_down),
      cmocka_unit_test(folders_and_missing_files_are_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
