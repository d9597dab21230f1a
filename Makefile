# halfspace: build, test and install. `make help` lists the targets.
#
#   make B=/elsewhere            another build folder
#   make CC=clang                another compiler behind the MPI wrapper; MPICC=cc another wrapper
#   make CFLAGS= LDFLAGS=        (and CPPFLAGS, LDLIBS) are added to ours
#   make V=1                     show the commands
#   make HDF5_CFLAGS= HDF5_LIBS= BLAS_CFLAGS= BLAS_LIBS= SCALAPACK_LIBS=
#                                libraries in unusual places
#   make OPENMP_FLAGS=-fopenmp-simd   no threads but those of BLAS

B ?= build
PREFIX ?= /usr/local
RANKS ?= 2
MODE_FLAGS ?= -O3 -g -fno-math-errno

# ---- compiler ----
# A CC in the environment (conda, modules) does not know MPI; the wrapper does, and it is told about a CC
# that was asked for on the command line.
MPICC ?= mpicc
ifeq ($(origin CC),command line)
  ifneq ($(filter mpi%,$(notdir $(CC))),)
    MPICC := $(CC)
  else
    export OMPI_CC := $(CC)
    export MPICH_CC := $(CC)
  endif
else ifeq ($(shell command -v gcc 2>/dev/null),)
  # Packaged wrappers call gcc by name, also where the compiler is another one.
  export OMPI_CC ?= $(shell command -v cc 2>/dev/null || command -v clang 2>/dev/null || echo cc)
endif

# Threads where compiler and linker can do OpenMP; where they cannot (clang without libomp), vector loops alone.
# What make exports does not reach its own shell calls, hence the compilers once more.
OPENMP_PROBE = $(if $(OMPI_CC),OMPI_CC='$(OMPI_CC)') $(if $(MPICH_CC),MPICH_CC='$(MPICH_CC)') \
  $(MPICC) -fopenmp $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -include omp.h -x c - -o /dev/null
OPENMP_FLAGS ?= $(shell echo 'int main(void) { return omp_get_max_threads() < 1; }' | \
  $(OPENMP_PROBE) >/dev/null 2>&1 && echo -fopenmp || echo -fopenmp-simd)
OPENMP_FLAGS := $(OPENMP_FLAGS)

# ---- libraries ----
comma := ,
# first of several pkg-config names that exists; then its flags
pc_name = $(firstword $(foreach name,$(1),$(shell pkg-config --exists $(name) 2>/dev/null && echo $(name))))
pc_cflags = $(if $(1),$(shell pkg-config --cflags $(1) 2>/dev/null))
pc_libs = $(if $(1),$(shell pkg-config --libs $(1) 2>/dev/null),$(2))
# libraries outside the system's folders must be found again at run time
rpaths = $(patsubst -L%,-Wl$(comma)-rpath$(comma)%,$(filter -L%,$(1)))

# Modules and Spack announce HDF5 by a variable when they do not do so through pkg-config.
HDF5_PREFIX := $(patsubst %/include/hdf5.h,%,$(firstword $(wildcard \
  $(foreach folder,$(HDF5_ROOT) $(HDF5_DIR) $(HDF5_HOME),$(folder)/include/hdf5.h))))
HDF5_PC := $(call pc_name,hdf5-openmpi hdf5-mpi hdf5)
HDF5_CFLAGS ?= $(if $(HDF5_PREFIX),-I$(HDF5_PREFIX)/include,$(call pc_cflags,$(HDF5_PC)))
HDF5_LIBS ?= $(if $(HDF5_PREFIX),-L$(HDF5_PREFIX)/lib -lhdf5,$(call pc_libs,$(HDF5_PC),-lhdf5))

# Debian's flavour of OpenBLAS is a system-wide choice that any later package may change; ours is pinned to
# the one that shares threads with OpenMP. DT_RPATH rather than RUNPATH, so that it also holds for libraries
# that need BLAS themselves. An active conda environment brings its own.
ifeq ($(wildcard $(CONDA_PREFIX)/include/openblas_config.h),)
OPENBLAS_DIR ?= $(patsubst %/libopenblas.so,%,$(firstword $(wildcard /usr/lib/*/openblas-openmp/libopenblas.so)))
endif
ifneq ($(OPENBLAS_DIR),)
  BLAS_CFLAGS ?= -I$(subst /usr/lib,/usr/include,$(OPENBLAS_DIR))
  BLAS_LIBS ?= -L$(OPENBLAS_DIR) -lopenblas -Wl,--disable-new-dtags
else
  BLAS_PC := $(call pc_name,openblas)
  BLAS_CFLAGS ?= $(call pc_cflags,$(BLAS_PC))
  BLAS_LIBS ?= $(call pc_libs,$(BLAS_PC),-lopenblas)
endif

# Of Debian's flags only those of ScaLAPACK itself: the others name the folder of the system-wide BLAS. They come
# before our BLAS, which a static ScaLAPACK needs after it (and -lgfortran then).
SCALAPACK_PC := $(call pc_name,scalapack scalapack-openmpi)
SCALAPACK_FLAGS := $(call pc_libs,$(SCALAPACK_PC),$(if $(wildcard /usr/lib/*/libscalapack-openmpi.so),$(if \
  $(CONDA_PREFIX),-lscalapack,-lscalapack-openmpi),-lscalapack))
SCALAPACK_LIBS ?= $(strip $(foreach flag,$(SCALAPACK_FLAGS),$(or $(filter -lscalapack%,$(flag)),$(if \
  $(wildcard $(patsubst -L%,%,$(filter -L%,$(flag)))/libscalapack*),$(flag)))))

YAML_PC := $(call pc_name,yaml-0.1)
ZLIB_PC := $(call pc_name,zlib)
XXHASH_PC := $(call pc_name,libxxhash)
PROTOBUF_PC := $(call pc_name,libprotobuf-c)
CMOCKA_PC := $(call pc_name,cmocka)
SMALL_CFLAGS := $(call pc_cflags,$(YAML_PC) $(ZLIB_PC) $(XXHASH_PC) $(PROTOBUF_PC))
SMALL_LIBS := $(call pc_libs,$(YAML_PC),-lyaml) $(call pc_libs,$(ZLIB_PC),-lz) -lbz2 \
  $(call pc_libs,$(XXHASH_PC),-lxxhash) $(call pc_libs,$(PROTOBUF_PC),-lprotobuf-c) -lm
# Later versions of protobuf-c leave the name of its compiler to protoc.
PROTOC_C ?= $(if $(shell command -v protoc-c 2>/dev/null),protoc-c,protoc)
CMOCKA_CFLAGS := $(call pc_cflags,$(CMOCKA_PC))
CMOCKA_LIBS := $(call pc_libs,$(CMOCKA_PC),-lcmocka)

FOREIGN_CFLAGS := $(patsubst -I%,-isystem %,$(BLAS_CFLAGS) $(HDF5_CFLAGS) $(SMALL_CFLAGS))
FOREIGN_LIBS := $(HDF5_LIBS) $(SCALAPACK_LIBS) $(BLAS_LIBS) $(SMALL_LIBS)
LIBS := $(FOREIGN_LIBS) $(call rpaths,$(FOREIGN_LIBS))

# ---- files ----
WARNINGS := -Wall -Wextra -Wconversion -Wshadow
COMMON := -std=c11 -D_GNU_SOURCE -pthread $(OPENMP_FLAGS) $(WARNINGS) -Isrc -I. -I$(B) $(FOREIGN_CFLAGS) -MMD -MP
COMPILE = $(MPICC) $(COMMON) $(OWN_FLAGS) $(MODE_FLAGS) $(CPPFLAGS) $(CFLAGS)
LINK = $(MPICC) -pthread $(OPENMP_FLAGS) $(MODE_FLAGS) $(CFLAGS) $(LDFLAGS)
# a short line per command instead of the command
quiet = $(if $(V),,@printf '  %-7s %s\n' $(1) '$@';)

SOURCES := $(shell find src mpi io -name '*.c' | sort)
# Descriptions of messages, from which C is made in the build folder.
MESSAGES := $(patsubst %.proto,$(B)/%.pb-c,$(shell find io -name '*.proto' | sort))
OBJECTS := $(SOURCES:%.c=$(B)/%.o) $(MESSAGES:%=%.o)
LIBRARY_OBJECTS := $(filter-out $(B)/src/cli/main.o,$(OBJECTS))
UNIT_SOURCES := $(wildcard tests/unit/test_*.c)
MPI_SOURCES := $(wildcard tests/mpi/test_*.c)
UNIT_TESTS := $(UNIT_SOURCES:%.c=$(B)/%)
MPI_TESTS := $(MPI_SOURCES:%.c=$(B)/%)
TEST_TOOLS := $(B)/tests/support/make_file $(B)/tests/support/make_run
TEST_OBJECTS := $(UNIT_TESTS:%=%.o) $(MPI_TESTS:%=%.o) $(TEST_TOOLS:%=%.o)
C_FILES = $(shell find src mpi io tests -name '*.[ch]' | sort)
SCRIPTS = .ci/run jobs/local-slurm $(shell find jobs tests -name '*.sh' -o -name '*.sbatch' | sort)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY: $(OBJECTS) $(TEST_OBJECTS) $(MESSAGES:%=%.c) $(MESSAGES:%=%.h)

# All processors, unless the caller has said how many.
PARALLEL = --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS))$(filter -j%,$(MAKEFLAGS)),,-j$(CORES))
CORES = $(shell nproc 2>/dev/null || echo 2)

##@ Start here
demo: ## install what is missing, build, train on real data on 2 ranks, evaluate, draw a report
	@$(MAKE) --no-print-directory setup
	@$(MAKE) $(PARALLEL) all
	@B='$(B)' bash jobs/demo.sh

check: ## install what is missing, build, run every test
	@B='$(B)' bash tests/support/onnx_runtime.sh
	@SETUP_FOR=check $(MAKE) --no-print-directory setup
	@$(MAKE) $(PARALLEL) all tests
	@B='$(B)' bash tests/run.sh

# Where SLURM cannot be installed its tests say so and are left out.
check-slurm: ## the job scripts on a SLURM cluster of three nodes that is made on this machine (Debian, root)
	@SETUP_FOR=slurm $(MAKE) --no-print-directory setup || echo 'check-slurm: going on without'
	@$(MAKE) $(PARALLEL) all
	@B='$(B)' bash tests/run.sh slurm

setup: ## install what is missing, or say what to load (SETUP_DRY_RUN=1: only say what would be done)
	@B='$(B)' MAKE='$(MAKE_COMMAND)' bash jobs/setup/setup.sh

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "%s%s\n", sep, substr($$0, 5); sep = "\n" } \
	  /^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@awk '/^#    *(make [A-Z]|lib)/ { print "  " substr($$0, 5) }' $(firstword $(MAKEFILE_LIST)) | \
	  { printf '\nVariables\n'; cat; }

##@ Build and install
all: $(B)/halfspace ## build the program (build/halfspace)

tests: $(B)/halfspace $(UNIT_TESTS) $(MPI_TESTS) $(TEST_TOOLS) ## build the test programs

install: all ## install the program under PREFIX (default /usr/local), below DESTDIR if given
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share/halfspace/configs'
	install -m 755 $(B)/halfspace '$(DESTDIR)$(PREFIX)/bin/halfspace'
	install -m 644 LICENSE '$(DESTDIR)$(PREFIX)/share/halfspace/LICENSE'
	install -m 644 $(wildcard configs/*.yaml) '$(DESTDIR)$(PREFIX)/share/halfspace/configs'

debug: ## build without optimisation into build/debug
	@$(MAKE) $(PARALLEL) B='$(B)/debug' MODE_FLAGS='-O0 -g' all

clean: ## remove the build folder
	rm -rf '$(B)'

##@ Check and measure
sanitize: ## unit and MPI tests (2 ranks) under the address and undefined-behaviour sanitizers
	@$(MAKE) $(PARALLEL) B='$(B)/sanitize' MODE_FLAGS='$(SANITIZE_FLAGS)' all tests
	@B='$(B)/sanitize' HS_RANKS=2 HS_UNDER=sanitizers bash tests/run.sh unit,mpi

valgrind: ## unit and MPI tests (2 ranks) under valgrind
	@$(MAKE) $(PARALLEL) B='$(B)/debug' MODE_FLAGS='-O0 -g' all tests
	@B='$(B)/debug' HS_RANKS=2 HS_UNDER=valgrind bash tests/run.sh unit,mpi

bench: all ## rates of this machine against the program's kernels (RANKS=2, BENCH='key=value ...')
	@. jobs/setup/mpi-env.sh && mpirun -n $(RANKS) '$(B)/halfspace' bench $(BENCH)

lint: ## all warnings of gcc and clang as errors, formatting, cppcheck, shellcheck (where installed)
	@bad=0; \
	$(MAKE) $(PARALLEL) -k B='$(B)/lint/gcc' CC=gcc MODE_FLAGS='-O2 -Werror' objects || bad=1; \
	$(MAKE) $(PARALLEL) -k B='$(B)/lint/clang' CC=clang MODE_FLAGS='-O1 -Werror' objects || bad=1; \
	bash tests/support/lint.sh $(C_FILES) $(SCRIPTS) || bad=1; \
	exit $$bad

format: ## format all C files with clang-format
	clang-format -i $(C_FILES)

SANITIZE_FLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined

# ---- rules ----
$(B)/%.o: %.c $(B)/flags | $(B)/ready $(MESSAGES:%=%.h)
	@mkdir -p $(@D)
	$(call quiet,compile)$(COMPILE) -c $< -o $@

$(B)/%.pb-c.c $(B)/%.pb-c.h: %.proto | $(B)/ready
	@mkdir -p $(@D)
	$(call quiet,protoc)$(PROTOC_C) --c_out='$(B)' $<

# not our code: without our warnings
$(B)/%.pb-c.o: $(B)/%.pb-c.c $(B)/flags
	$(call quiet,compile)$(COMPILE) -w -c $< -o $@

$(B)/libhalfspace.a: $(LIBRARY_OBJECTS) $(B)/sources
	@rm -f $@
	$(call quiet,archive)ar rcs $@ $(LIBRARY_OBJECTS)

$(B)/halfspace: $(B)/src/cli/main.o $(B)/libhalfspace.a
	$(call quiet,link)$(LINK) $^ $(LIBS) $(LDLIBS) -o $@

$(UNIT_TESTS:%=%.o): private OWN_FLAGS = $(patsubst -I%,-isystem %,$(CMOCKA_CFLAGS))
$(UNIT_TESTS): %: %.o $(B)/libhalfspace.a
	$(call quiet,link)$(LINK) $^ $(CMOCKA_LIBS) $(LIBS) $(LDLIBS) -o $@

$(MPI_TESTS) $(TEST_TOOLS): %: %.o $(B)/libhalfspace.a
	$(call quiet,link)$(LINK) $^ $(LIBS) $(LDLIBS) -o $@

objects: $(OBJECTS) $(TEST_OBJECTS)

# Facts that are no files decide what is built: the commit, the flags, the list of sources. Each has a file
# that is written again only when the fact has changed.
HS_COMMIT := $(shell test -e .git && git rev-parse --short HEAD 2>/dev/null || echo unknown)
HS_FLAGS := $(strip $(COMPILE) $(LINK) $(CMOCKA_CFLAGS) $(CMOCKA_LIBS) $(LIBS) $(LDLIBS) $(OMPI_CC))
HS_SOURCES := $(strip $(SOURCES))
export HS_COMMIT HS_FLAGS HS_SOURCES

define fact # FILE, VARIABLE
ifneq ($$($(2)),$$(shell cat '$$(B)/$(1)' 2>/dev/null))
$$(B)/$(1): FORCE
endif
$$(B)/$(1):
	@mkdir -p '$$(@D)' && printf '%s\n' "$$$$$(2)" >'$$@'
endef
$(eval $(call fact,commit,HS_COMMIT))
$(eval $(call fact,flags,HS_FLAGS))
$(eval $(call fact,sources,HS_SOURCES))

$(B)/src/base/version.o: $(B)/commit
$(B)/src/base/version.o: private OWN_FLAGS = -DHS_COMMIT='"$(HS_COMMIT)"'

# Says once per build folder which library is missing, before the compiler says it less clearly.
$(B)/ready:
	@mkdir -p $(@D) && $(PROBE) SETUP_FOR=build bash jobs/setup/missing.sh --explain && touch $@

# What the compiler needs is asked for with the flags that the build uses.
PROBE = B='$(B)' MPICC='$(MPICC)' PROBE_MPI='$(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' \
  PROBE_HDF5='$(HDF5_CFLAGS) $(HDF5_LIBS)' PROBE_BLAS='$(BLAS_CFLAGS) $(BLAS_LIBS)' \
  PROBE_SCALAPACK='$(SCALAPACK_LIBS)' PROTOC_C='$(PROTOC_C)' \
  PROBE_SMALL='$(SMALL_CFLAGS) $(SMALL_LIBS)' PROBE_CMOCKA='$(CMOCKA_CFLAGS) $(CMOCKA_LIBS)'

missing:
	@$(PROBE) bash jobs/setup/missing.sh

FORCE:

-include $(OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d)
.PHONY: all bench check check-slurm clean debug demo format help install lint missing objects sanitize setup tests valgrind FORCE
