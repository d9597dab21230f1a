/* process.h: the memory of a process that holds no data: code, libraries, and the buffers these keep. Not collective.
 */
#ifndef HS_MPI_PLAN_PROCESS_H
#define HS_MPI_PLAN_PROCESS_H

/* Resident bytes at this moment, after free memory has been given back to the system; where the system does not
 * tell, the largest there were. */
double hs_process_bytes(void);

#endif
