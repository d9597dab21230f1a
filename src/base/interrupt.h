/* interrupt.h: signals that ask a long run to stop in good order. Not collective: ranks agree in a reduction.
 */
#ifndef HS_BASE_INTERRUPT_H
#define HS_BASE_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGTERM, SIGINT and SIGUSR2 only raise a flag, and SIGUSR1, which batch systems like to send as a
 * warning, is harmless. A second SIGINT ends the process at once. */
void hs_interrupt_watch(void);

/* Has a signal arrived? */
bool hs_interrupted(void);

#endif
