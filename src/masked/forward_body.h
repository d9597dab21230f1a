/* forward_body.h: a = A u by tables; part of body.h.
 *
 *     a_kc = x_k . v,   v = sum over groups g of T_g[pattern of row k in g],   T_g[p] = sum_{i in p} u_ic
 *
 * chunk by chunk of the features, so that the tables of all groups stay in the L2 cache and v in registers.
 */

/* T[p] for all patterns of one group: each gate doubles the table. */
INLINE void NAME(fill_table)(VEC *table, int bits, const int *gates, const double *u, size_t u_stride,
                             int count, const int width)
{
  for (int v = 0; v < width; v++) table[v] = (VEC){0};
  for (int bit = 0; bit < bits; bit++) {
    VEC own[HS_FORWARD_WIDTH] = {{0}};
    REAL *element = (REAL *)own;
    const double *block = u + (size_t)gates[bit] * u_stride;
    for (int j = 0; j < count; j++) element[j] = (REAL)block[j];
    int half = width << bit;
    for (int entry = 0; entry < half; entry += width)
      for (int v = 0; v < width; v++) table[half + entry + v] = table[entry + v] + own[v];
  }
}

TARGET static void NAME(fill_tables)(const hs_masked_t *op, const hs_part_t *part,
                                     const hs_patterns_t *patterns, const double *u, NAME(chunk_t) chunk,
                                     int c)
{
  const hs_groups_t *groups = &patterns->groups;
  VEC *table = part->tables;
  size_t u_stride = (size_t)op->outputs * (size_t)op->d;
  const double *of_chunk = u + (size_t)c * (size_t)op->d + chunk.first;
  for (int group = 0; group < groups->count; group++, table += chunk.width << groups->bits) {
    int first = hs_group_first(groups, group), bits = hs_group_first(groups, group + 1) - first;
    const int *gates = patterns->gates + first;
    switch (chunk.width) {
    case 1:
      NAME(fill_table)(table, bits, gates, of_chunk, u_stride, chunk.count, 1);
      break;
    case 2:
      NAME(fill_table)(table, bits, gates, of_chunk, u_stride, chunk.count, 2);
      break;
    case 3:
      NAME(fill_table)(table, bits, gates, of_chunk, u_stride, chunk.count, 3);
      break;
    default:
      NAME(fill_table)(table, bits, gates, of_chunk, u_stride, chunk.count, 4);
      break;
    }
  }
}

/* sums[k] += v o x_k, lane by lane, for the rows of a panel. */
INLINE void NAME(look_up)(const VEC *tables, const hs_groups_t *groups, const uint8_t *patterns, int rows,
                          const VEC *panel, VEC *sums, const int width)
{
  size_t table_size = (size_t)width << groups->bits;
  int count = groups->count;
  for (int row = 0; row < rows; row++, patterns += count, panel += width) {
    VEC v[HS_FORWARD_WIDTH];
    const VEC *table = tables;
    for (int i = 0; i < width; i++) v[i] = table[(size_t)patterns[0] * (size_t)width + (size_t)i];
    for (int group = 1; group < count; group++) {
      table += table_size;
      for (int i = 0; i < width; i++) v[i] += table[(size_t)patterns[group] * (size_t)width + (size_t)i];
    }
    VEC sum = sums[row];
    for (int i = 0; i < width; i++) sum = FMA(v[i], panel[i], sum);
    sums[row] = sum;
  }
}

TARGET static void NAME(look_up_all)(const hs_masked_t *op, const hs_part_t *part,
                                     const hs_patterns_t *patterns, int64_t first, int rows,
                                     NAME(chunk_t) chunk, VEC *sums)
{
  const hs_groups_t *groups = &patterns->groups;
  const uint8_t *of_row = patterns->of_row + first * groups->count;
  const VEC *panel = NAME(panel)(op, part, chunk);
  switch (chunk.width) {
  case 1:
    NAME(look_up)(part->tables, groups, of_row, rows, panel, sums, 1);
    break;
  case 2:
    NAME(look_up)(part->tables, groups, of_row, rows, panel, sums, 2);
    break;
  case 3:
    NAME(look_up)(part->tables, groups, of_row, rows, panel, sums, 3);
    break;
  default:
    NAME(look_up)(part->tables, groups, of_row, rows, panel, sums, 4);
    break;
  }
}

/* The lanes of every sum together, into a. */
TARGET static void NAME(add_lanes)(const hs_masked_t *op, const hs_part_t *part, int rows, double *a)
{
  for (int c = 0; c < op->outputs; c++) {
    const REAL *sums = (const REAL *)part->sums + (size_t)c * (size_t)op->block * (size_t)LANES;
    for (int row = 0; row < rows; row++, sums += LANES) {
      REAL half[LANES / 2];
      for (int lane = 0; lane < LANES / 2; lane++) half[lane] = sums[lane] + sums[LANES / 2 + lane];
      for (int length = LANES / 4; length >= 1; length /= 2)
        for (int lane = 0; lane < length; lane++) half[lane] += half[length + lane];
      a[(size_t)row * (size_t)op->outputs + (size_t)c] = (double)half[0];
    }
  }
}

TARGET static void NAME(forward)(const hs_masked_t *op, const hs_part_t *part, const hs_patterns_t *patterns,
                                 const double *u, double *a)
{
  NAME(cut_t) cut = NAME(cut)(op->d, HS_FORWARD_WIDTH);
  VEC *sums = part->sums;
  for (int64_t first = part->first; first < part->end; first += op->block) {
    int rows = (int)hs_min64(op->block, part->end - first);
    memset(sums, 0, (size_t)op->outputs * (size_t)op->block * VECTOR_BYTES);
    NAME(fill_panels)(op, part, first, rows, cut);
    for (int i = 0; i < cut.chunks; i++) {
      NAME(chunk_t) chunk = NAME(chunk)(cut, i);
      for (int c = 0; c < op->outputs; c++) {
        NAME(fill_tables)(op, part, patterns, u, chunk, c);
        NAME(look_up_all)(op, part, patterns, first, rows, chunk, sums + (size_t)c * (size_t)op->block);
      }
    }
    NAME(add_lanes)(op, part, rows, a + first * op->outputs);
  }
}
