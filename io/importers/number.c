#include "io/importers/number.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

__extension__ typedef unsigned __int128 wide_t;

#define EXACT_INTEGER ((uint64_t)1 << 53) /* integers up to here are doubles */
#define EXACT_POWER 22                    /* 10^22 is the largest power of ten that is a double */
#define WIDE_POWER 27                     /* 5^27 is the largest power of five below 2^64 */
#define MOST_DIGITS 19                    /* 10^19 - 1 fits in 64 bits */
#define FAR_EXPONENT 100000               /* beyond any double, below any overflow of int64_t */

static const double double_power[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* value = (-1)^negative * mantissa * 10^exponent, unless more digits were given than a mantissa holds */
typedef struct {
  uint64_t mantissa;
  int64_t exponent;
  bool negative, overlong;
} decimal_t;

static uint64_t integer_power(uint64_t base, int64_t exponent)
{
  uint64_t power = 1;
  for (; exponent > 0; exponent--) power *= base;
  return power;
}

/* Zeros wait until a digit other than zero follows: 8.692932128906250000e-01 then has 15 digits, not 19. */
typedef struct {
  int digits, zeros;
} pending_t;

static void take_digit(decimal_t *x, pending_t *state, unsigned digit)
{
  if (digit == 0) {
    if (state->digits > 0) state->zeros++;
    return;
  }
  if (state->zeros >= MOST_DIGITS || state->digits + state->zeros + 1 > MOST_DIGITS) {
    x->overlong = true;
    return;
  }
  for (; state->zeros > 0; state->zeros--, state->digits++) x->mantissa *= 10;
  x->mantissa = x->mantissa * 10 + digit;
  state->digits++;
}

static bool read_exponent(const char *at, const char *end, int64_t *exponent)
{
  bool negative = at < end && *at == '-';
  if (at < end && (*at == '-' || *at == '+')) at++;
  if (at == end) return false;
  int64_t value = 0;
  for (; at < end; at++) {
    if (*at < '0' || *at > '9') return false;
    if (value < FAR_EXPONENT) value = value * 10 + (*at - '0');
  }
  *exponent += negative ? -value : value;
  return true;
}

static bool read_decimal(const char *at, const char *end, decimal_t *x)
{
  pending_t state = {0, 0};
  bool any = false, fraction = false;
  *x = (decimal_t){0, 0, at < end && *at == '-', false};
  if (at < end && (*at == '-' || *at == '+')) at++;
  for (; at < end; at++) {
    unsigned digit = (unsigned)(unsigned char)*at - '0';
    if (digit <= 9) {
      any = true;
      if (fraction) x->exponent--;
      take_digit(x, &state, digit);
    } else if (*at == '.' && !fraction) {
      fraction = true;
    } else {
      break;
    }
  }
  x->exponent += state.zeros;
  if (!any) return false;
  if (at == end) return true;
  return (*at == 'e' || *at == 'E') && read_exponent(at + 1, end, &x->exponent);
}

static int bit_length(uint64_t value)
{
  return value == 0 ? 0 : 64 - __builtin_clzll(value);
}

/* q * 2^exponent to the nearest double, ties to even; `more` says that the exact value is a little above.
 * q has at least 62 bits, so that at least nine bits are rounded away. */
static double round_to_double(uint64_t q, bool more, int exponent)
{
  int drop = bit_length(q) - 53;
  uint64_t kept = q >> drop, half = (uint64_t)1 << (drop - 1), rest = q & (2 * half - 1);
  if (rest > half || (rest == half && (more || (kept & 1) != 0))) kept++;
  return ldexp((double)kept, exponent + drop);
}

/* m * 10^k = (m * 5^k) * 2^k, the product exact in 128 bits; 0 <= k <= WIDE_POWER */
static double multiply_exactly(uint64_t m, int k)
{
  wide_t product = (wide_t)m * integer_power(5, k);
  uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
  int drop = bit_length(high);
  if (drop == 0) {
    int rise = 64 - bit_length(low);
    return round_to_double(low << rise, false, k - rise);
  }
  uint64_t top = (uint64_t)(product >> drop);
  bool more = (low & (((uint64_t)1 << (drop - 1)) * 2 - 1)) != 0;
  return round_to_double(top, more, k + drop);
}

/* m / 10^k = (m / 5^k) * 2^-k. Both are shifted to 64 bits, so the quotient of m 2^63 has 63 or 64 bits
 * and the remainder says whether the exact value lies above it; 0 < k <= WIDE_POWER */
static double divide_exactly(uint64_t m, int k)
{
  uint64_t divisor = integer_power(5, k);
  int rise = 64 - bit_length(m), lift = 64 - bit_length(divisor);
  wide_t numerator = (wide_t)(m << rise) << 63;
  divisor <<= lift;
  wide_t quotient = numerator / divisor;
  bool more = quotient * divisor != numerator;
  return round_to_double((uint64_t)quotient, more, lift - rise - 63 - k);
}

/* Everything else: very long mantissas and far exponents. */
static double parse_slowly(const char *text, size_t length)
{
  static locale_t plain;
  if (plain == (locale_t)0) plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  char short_copy[128];
  char *copy = length < sizeof short_copy ? short_copy : malloc(length + 1);
  if (copy == NULL || plain == (locale_t)0) {
    if (copy != short_copy) free(copy);
    return (double)NAN;
  }
  memcpy(copy, text, length);
  copy[length] = '\0';
  double value = strtod_l(copy, NULL, plain);
  if (copy != short_copy) free(copy);
  return value;
}

bool hs_number_parse(const char *text, size_t length, double *value)
{
  decimal_t x;
  if (!read_decimal(text, text + length, &x)) return false;
  double size;
  if (x.overlong) {
    *value = parse_slowly(text, length);
    return true;
  }
  if (x.mantissa == 0) {
    size = 0.0;
  } else if (x.mantissa <= EXACT_INTEGER && x.exponent >= -EXACT_POWER && x.exponent <= EXACT_POWER) {
    /* two exact doubles and one operation: rounded once */
    size = x.exponent < 0 ? (double)x.mantissa / double_power[-x.exponent]
                          : (double)x.mantissa * double_power[x.exponent];
  } else if (x.exponent >= 0 && x.exponent <= WIDE_POWER) {
    size = multiply_exactly(x.mantissa, (int)x.exponent);
  } else if (x.exponent < 0 && x.exponent >= -WIDE_POWER) {
    size = divide_exactly(x.mantissa, (int)-x.exponent);
  } else {
    *value = parse_slowly(text, length);
    return true;
  }
  *value = x.negative ? -size : size;
  return true;
}

bool hs_number_is_missing(const char *text, size_t length)
{
  static const char *const words[] = {"",     "?",   "na",   "n/a",  "nan",      "+nan",      "-nan",
                                      "null", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"};
  for (size_t k = 0; k < sizeof words / sizeof *words; k++)
    if (strlen(words[k]) == length && strncasecmp(words[k], text, length) == 0) return true;
  return false;
}
