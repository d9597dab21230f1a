# halfspace: build, test and install. `make help` lists the targets.

B ?= build
PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC := mpicc
endif
OPENBLAS_DIR ?= /usr/lib/x86_64-linux-gnu/openblas-openmp
HDF5_CFLAGS := $(shell pkg-config --cflags hdf5-openmpi 2>/dev/null)
HDF5_LIBS := $(shell pkg-config --libs hdf5-openmpi 2>/dev/null || echo -lhdf5)
COMMON := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wconversion -Wshadow -Isrc -I. -isystem $(OPENBLAS_DIR)/../../include \
  -isystem /usr/include/x86_64-linux-gnu/openblas-openmp $(patsubst -I%,-isystem %,$(HDF5_CFLAGS)) -MMD -MP
MODE_FLAGS ?= -O3 -g -fopenmp-simd -fno-math-errno
LIBS := $(HDF5_LIBS) -L$(OPENBLAS_DIR) -lscalapack-openmpi -lopenblas -lyaml -lz -lbz2 -lxxhash -lm \
  -Wl,--disable-new-dtags,-rpath,$(OPENBLAS_DIR)

SOURCES := $(shell find src mpi io -name '*.c' | sort)
OBJECTS := $(SOURCES:%.c=$(B)/%.o)
LIBRARY_OBJECTS := $(filter-out $(B)/src/cli/main.o,$(OBJECTS))

all: $(B)/halfspace ## build the program

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(COMMON) $(MODE_FLAGS) $(CFLAGS) -c $< -o $@

$(B)/libhalfspace.a: $(LIBRARY_OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(B)/halfspace: $(B)/src/cli/main.o $(B)/libhalfspace.a
	$(CC) $(MODE_FLAGS) $(LDFLAGS) $^ $(LIBS) $(LDLIBS) -o $@

-include $(OBJECTS:.o=.d)
.PHONY: all
