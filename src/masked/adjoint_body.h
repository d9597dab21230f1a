/* adjoint_body.h: s = A' w by sums over runs of rows with equal patterns; part of body.h.
 *
 *     B_g[p] = sum over rows k with pattern p in group g of x_k w_k',    s_i = sum of B_g[p] over p with i open
 *
 * Sums over the rows of a block are in the type of the product, sums over blocks in double.
 */

/* B[p] for all patterns but 0 of one group: a block of width vectors x tile outputs for each.
 *   w   rows x w_stride, starting at the first output of the tile */
INLINE void NAME(add_runs)(VEC *buckets, int patterns, const uint16_t *length, const uint16_t *order,
                           const VEC *panel, const REAL *w, size_t w_stride, const int width, const int tile)
{
  order += length[0];
  for (int pattern = 1; pattern < patterns; pattern++) {
    VEC sum[HS_SUMS];
    for (int i = 0; i < width * tile; i++) sum[i] = (VEC){0};
    for (int left = length[pattern]; left > 0; left--) {
      if (tile > 1) __builtin_prefetch(w + order[HS_RUNS_AHEAD] * w_stride);
      size_t row = *order++;
      const VEC *x = panel + row * (size_t)width;
      const REAL *of_row = w + row * w_stride;
      for (int c = 0; c < tile; c++) {
        VEC factor = SPLAT(of_row[c]);
        for (int v = 0; v < width; v++) sum[c * width + v] = FMA(x[v], factor, sum[c * width + v]);
      }
    }
    for (int i = 0; i < width * tile; i++) buckets[(size_t)(pattern * width * tile + i)] = sum[i];
  }
}

/* s_i += sum of the buckets with gate i open, for the gates of a group. Gate by gate from the last: add up
 * the upper half of the buckets, then fold it onto the lower half.
 *   s   of gate 0 and the tile's first output, at the chunk's first feature */
INLINE void NAME(unfold)(VEC *buckets, int bits, const int *gates, double *s, size_t gate_stride,
                         size_t output_stride, int count, const int width, const int tile)
{
  const int size = width * tile;
  for (int bit = bits - 1; bit >= 0; bit--) {
    int half = 1 << bit;
    VEC sum[HS_SUMS];
    VEC *upper = buckets + (size_t)(half * size);
    for (int i = 0; i < size; i++) sum[i] = upper[i];
    for (int pattern = 1; pattern < half; pattern++)
      for (int i = 0; i < size; i++) {
        VEC moved = upper[(size_t)(pattern * size + i)];
        sum[i] += moved;
        buckets[(size_t)(pattern * size + i)] += moved;
      }
    const REAL *element = (const REAL *)sum;
    double *of_gate = s + (size_t)gates[bit] * gate_stride;
    for (int c = 0; c < tile; c++)
      for (int j = 0; j < count; j++)
        of_gate[(size_t)c * output_stride + (size_t)j] += (double)element[c * width * LANES + j];
  }
}

/* One chunk, one group, the outputs c .. c+tile-1 together. */
INLINE void NAME(add_tile)(const hs_masked_t *op, const hs_part_t *part, int64_t first, NAME(chunk_t) chunk,
                           int group, int c, double *s, const int width, const int tile)
{
  const hs_groups_t *groups = &op->runs.groups;
  size_t d = (size_t)op->d, outputs = (size_t)op->outputs;
  int gate = hs_group_first(groups, group), bits = hs_group_first(groups, group + 1) - gate;
  const uint16_t *length = hs_runs_length(&op->runs, first, group);
  const uint16_t *order = hs_runs_order(&op->runs, first, group);
  const VEC *panel = NAME(panel)(op, part, chunk);
  const REAL *w = (const REAL *)part->w + c;
  double *own = s + (size_t)c * d + chunk.first;
  NAME(add_runs)(part->tables, 1 << bits, length, order, panel, w, outputs, width, tile);
  NAME(unfold)(part->tables, bits, op->runs.gates + gate, own, outputs * d, d, chunk.count, width, tile);
}

TARGET static void NAME(add_group)(const hs_masked_t *op, const hs_part_t *part, int64_t first,
                                   NAME(chunk_t) chunk, int group, double *s, int tiles)
{
#define CASE(W, T)                                                                                           \
  case (W)*8 + (T):                                                                                          \
    NAME(add_tile)(op, part, first, chunk, group, c, s, W, T);                                               \
    break
  for (int i = 0; i < tiles; i++) {
    int c = op->outputs * i / tiles, tile = op->outputs * (i + 1) / tiles - c;
    switch (chunk.width * 8 + tile) {
      CASE(1, 1);
      CASE(2, 1);
      CASE(3, 1);
      CASE(4, 1);
      CASE(1, 2);
      CASE(2, 2);
      CASE(3, 2);
      CASE(4, 2);
      CASE(1, 3);
      CASE(2, 3);
      CASE(3, 3);
      CASE(1, 4);
      CASE(2, 4);
      CASE(3, 4);
    default:
      __builtin_unreachable();
    }
  }
#undef CASE
}

TARGET static void NAME(adjoint)(const hs_masked_t *op, const hs_part_t *part, const double *w, double *s)
{
  int tiles = (op->outputs + 3) / 4;
  NAME(cut_t) cut = NAME(cut)(op->d, op->outputs > 2 ? 3 : 4);
  REAL *factors = part->w;
  size_t size = (size_t)op->outputs * (size_t)op->d;
  for (int gate = 0; gate < op->masks->gates; gate++)
    if (op->wanted[gate]) memset(s + (size_t)gate * size, 0, size * sizeof *s);
  for (int64_t first = part->first; first < part->end; first += op->block) {
    int rows = (int)hs_min64(op->block, part->end - first);
    for (int64_t i = 0; i < (int64_t)rows * op->outputs; i++) factors[i] = (REAL)w[first * op->outputs + i];
    NAME(fill_panels)(op, part, first, rows, cut);
    for (int i = 0; i < cut.chunks; i++) {
      NAME(chunk_t) chunk = NAME(chunk)(cut, i);
      for (int group = 0; group < op->runs.groups.count; group++)
        if (op->wanted[op->runs.gates[hs_group_first(&op->runs.groups, group)]])
          NAME(add_group)(op, part, first, chunk, group, s, tiles);
    }
  }
}
