/* units.h: quantities as a reader wants them: three digits and a unit. Not collective. */
#ifndef HS_MPI_PLAN_UNITS_H
#define HS_MPI_PLAN_UNITS_H

#define HS_UNIT_TEXT 16

/* Each fills text, and returns it; "0" for zero, "-" for NaN. */
const char *hs_quantity_bytes(double bytes, char text[HS_UNIT_TEXT]);     /* "1.23 GB", powers of 1000 */
const char *hs_quantity_flops(double flops, char text[HS_UNIT_TEXT]);     /* "45.6 GF" */
const char *hs_quantity_seconds(double seconds, char text[HS_UNIT_TEXT]); /* "12.3 ms", "4.5 min", "2.1 h" */

#endif
