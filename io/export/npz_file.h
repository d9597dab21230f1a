/* npz_file.h: the bytes of an .npz file, what numpy.load reads: a zip archive, not compressed, of one .npy file for each
 * array. All reals are double.
 *
 *   W1 [d, m]  W2 [m, C]  shift [features]  scale [features]      as in the run file; m may be 0
 *   bias []               bool: the last row of W1 is the bias, d = features + 1
 *   class_values [K]      int64, labels of the training file, ascending; classification only
 *   class_names [K]       bytes, UTF-8, padded by zeros; classification only
 *
 * Source of the formats: PKWARE's APPNOTE 4.3, and numpy.lib.format, version 1.0. Times are those of 1 January 1980, so
 * that the same network gives the same bytes.
 */
#ifndef HS_IO_EXPORT_NPZ_FILE_H
#define HS_IO_EXPORT_NPZ_FILE_H

#include <stddef.h>

#include "model/model.h"

/* *bytes receives the file, *size its length; owned by the caller (hs_free), NULL on failure. HS_BAD_USAGE when it would be
 * larger than the 4 GiB of an archive without extensions. Not collective. */
hs_status_t hs_npz_file_make(const hs_model_t *model, void **bytes, size_t *size);

#endif
