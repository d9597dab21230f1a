/* scatter.h: rows in the order of the input to data files in another order, in bounded memory.
 *
 * Rows that keep their order pass through a block of whole chunks. Shuffled rows that all fit are put in
 * place in memory; else they go through a temporary file (spill.h). Not collective.
 */
#ifndef HS_IMPORT_SCATTER_H
#define HS_IMPORT_SCATTER_H

#include <stdint.h>

#include "base/status.h"
#include "io/importers/order.h"
#include "io/importers/table_writer.h"

typedef struct hs_scatter hs_scatter_t;

/*   writers, forms  of the first part and the test part; writers[1] = NULL when order->rows[1] is 0
 *   order           rows to come and their places
 *   shuffled        false: the places in each part ascend
 *   memory          bytes for rows
 *   scratch         a temporary file may lie in the folder of this path
 * All are borrowed until hs_scatter_free. */
hs_status_t hs_scatter_create(hs_scatter_t **out, hs_table_writer_t *const writers[2],
                              const hs_table_form_t *forms, const hs_order_t *order, bool shuffled,
                              double memory, const char *scratch);

/* The next row: features as doubles whatever the precision of the form, targets int64_t or double. */
hs_status_t hs_scatter_put(hs_scatter_t *scatter, const double *features, const void *targets);

/* After the last row: everything is handed to the writers. */
hs_status_t hs_scatter_finish(hs_scatter_t *scatter);

/* Accepts NULL; *scatter becomes NULL. */
void hs_scatter_free(hs_scatter_t **scatter);

#endif
