/* data_maker.h: small HDF5 files for tests, through the HDF5 library alone. A failure ends the program. */
#ifndef HS_TESTS_SUPPORT_DATA_MAKER_H
#define HS_TESTS_SUPPORT_DATA_MAKER_H

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline hid_t maker_good(hid_t id, const char *what)
{
  if (id >= 0) return id;
  fprintf(stderr, "the test cannot write %s\n", what);
  exit(2);
}

static inline hid_t maker_create(const char *path)
{
  return maker_good(H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), path);
}

/* A data set of rank 1 (columns = 0) or 2. memory: the type of values; stored: the type in the file. */
static inline void maker_set(hid_t file, const char *name, hid_t stored, hid_t memory, int rows, int columns,
                             const void *values)
{
  hsize_t extent[2] = {(hsize_t)rows, (hsize_t)columns};
  hid_t space = maker_good(H5Screate_simple(columns > 0 ? 2 : 1, extent, NULL), name);
  hid_t set = maker_good(H5Dcreate2(file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), name);
  if (rows > 0) maker_good(H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), name);
  H5Dclose(set);
  H5Sclose(space);
}

static inline void maker_doubles(hid_t file, const char *name, int rows, int columns, const double *values)
{
  maker_set(file, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, rows, columns, values);
}

static inline void maker_labels(hid_t file, const char *name, int rows, const long long *labels)
{
  maker_set(file, name, H5T_STD_I32LE, H5T_NATIVE_LLONG, rows, 0, labels);
}

/* A list of texts as an attribute; one text is a scalar. */
static inline void maker_texts(hid_t object, const char *name, int count, const char *const *texts)
{
  hsize_t extent = (hsize_t)count;
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  hid_t space = count > 1 ? H5Screate_simple(1, &extent, NULL) : H5Screate(H5S_SCALAR);
  hid_t attribute = maker_good(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT), name);
  maker_good(H5Awrite(attribute, type, texts), name);
  H5Aclose(attribute);
  H5Sclose(space);
  H5Tclose(type);
}

#endif
