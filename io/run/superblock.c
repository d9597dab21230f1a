#include "io/run/superblock.h"

#include <stdint.h>
#include <string.h>

/* Of the formats 2 and 3: one byte each, then four addresses of as many bytes as ADDRESS_SIZE says, then 4 bytes of
 * checksum over all that, the lowest first. */
enum { VERSION = 8, ADDRESS_SIZE = 9, MARKS = 11, ADDRESSES = 12, CHECKSUM_SIZE = 4 };

static uint32_t load(const unsigned char *from)
{
  return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static uint32_t turn(uint32_t x, int bits)
{
  return x << bits | x >> (32 - bits);
}

/* The hash "lookup3" of Bob Jenkins, which the format asks for: three words are mixed after every 12 bytes, and mixed
 * more thoroughly after the last 1 to 12, which are filled up with zeros. */
static uint32_t lookup3(const unsigned char *from, size_t length)
{
  uint32_t a = 0xdeadbeefU + (uint32_t)length, b = a, c = a;
  for (; length > 12; from += 12, length -= 12) {
    a += load(from), b += load(from + 4), c += load(from + 8);
    a -= c, a ^= turn(c, 4), c += b;
    b -= a, b ^= turn(a, 6), a += c;
    c -= b, c ^= turn(b, 8), b += a;
    a -= c, a ^= turn(c, 16), c += b;
    b -= a, b ^= turn(a, 19), a += c;
    c -= b, c ^= turn(b, 4), b += a;
  }
  unsigned char last[12] = {0};
  memcpy(last, from, length);
  a += load(last), b += load(last + 4), c += load(last + 8);
  c ^= b, c -= turn(b, 14);
  a ^= c, a -= turn(c, 11);
  b ^= a, b -= turn(a, 25);
  c ^= b, c -= turn(b, 16);
  a ^= c, a -= turn(c, 4);
  b ^= a, b -= turn(a, 14);
  c ^= b, c -= turn(b, 24);
  return c;
}

void hs_superblock_seal(void *file, size_t bytes)
{
  unsigned char *first = file;
  if (bytes <= ADDRESSES || (first[VERSION] != 2 && first[VERSION] != 3)) return;
  size_t end = ADDRESSES + 4 * (size_t)first[ADDRESS_SIZE];
  if (bytes < end + CHECKSUM_SIZE) return;
  first[MARKS] = 0;
  uint32_t sum = lookup3(first, end);
  for (int k = 0; k < CHECKSUM_SIZE; k++) first[end + (size_t)k] = (unsigned char)(sum >> (8 * k));
}
