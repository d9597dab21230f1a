#include "settings/table.h"

#include <math.h>
#include <stddef.h>

#define AT(field) offsetof(hs_settings_t, field)
#define LARGEST 2147483647.0 /* of the sizes that reach BLAS */

#define TEXT(key, field, initial, least, meaning)                                                            \
  {                                                                                                          \
    key, HS_SETTING_TEXT, AT(field), initial, least, HS_TEXT - 1, false, NULL, meaning                       \
  }
#define BOOLEAN(key, field, initial, meaning)                                                                \
  {                                                                                                          \
    key, HS_SETTING_BOOL, AT(field), initial, 0, 1, false, NULL, meaning                                     \
  }
#define CHOICE(key, field, initial, choices, meaning)                                                        \
  {                                                                                                          \
    key, HS_SETTING_CHOICE, AT(field), initial, 0, 0, false, choices, meaning                                \
  }
#define INTEGER(key, field, initial, low, high, meaning)                                                     \
  {                                                                                                          \
    key, HS_SETTING_INTEGER, AT(field), initial, low, high, false, NULL, meaning                             \
  }
#define POSITIVE(key, field, initial, meaning)                                                               \
  {                                                                                                          \
    key, HS_SETTING_REAL, AT(field), initial, 0, INFINITY, true, NULL, meaning                               \
  }
#define REAL(key, field, initial, low, meaning)                                                              \
  {                                                                                                          \
    key, HS_SETTING_REAL, AT(field), initial, low, INFINITY, false, NULL, meaning                            \
  }

const hs_setting_t hs_setting_table[] = {
    TEXT("data.train", data.train, "", 0, "HDF5 file with the training data"),
    TEXT("data.test", data.test, "", 0, "HDF5 file with test data, evaluated at the end"),
    TEXT("data.validation", data.validation, "", 0,
         "HDF5 file whose rows choose a point of a path (empty: path.hold_out)"),
    TEXT("data.features", data.features, "features", 1, "name of the feature data set [n, d] inside"),
    TEXT("data.targets", data.targets, "targets", 1, "name of the target data set [n] or [n, C] inside"),
    BOOLEAN("data.bias", data.bias, "true", "append a column of ones"),
    CHOICE("data.scaling", data.scaling, "auto", "auto|none|center|zscore|unit-norm|common",
           "of the columns; auto: common for images, else zscore"),

    INTEGER("model.layers", model.layers, "2", 2, 3, "layers of the network"),
    CHOICE("model.activation", model.activation, "relu", "gated|relu",
           "gated: keep the gated network; relu: also map it to a ReLU network"),
    INTEGER("model.gates", model.gates, "128", 1, LARGEST,
            "sampled gates (duplicates and empty masks are dropped)"),
    TEXT("model.gates_from", model.gates_from, "", 0, "HDF5 file with /gates [P, d] to use instead"),
    INTEGER("model.gate_rounds", model.gate_rounds, "0", 0, LARGEST, "rounds of search for further gates"),
    INTEGER("model.gate_batch", model.gate_batch, "64", 1, 65536, "searches per round"),
    INTEGER("model.gate_add", model.gate_add, "8", 1, 65536, "gates that a round adds at most"),
    CHOICE(
        "model.price", model.price, "gated", "gated|relu",
        "what gates are searched for: gated: the lowest gated objective; relu: the ReLU network's neurons"),
    CHOICE("model.solve", model.solve, "gated", "gated|constrained",
           "constrained: the exact ReLU program over the gates in hand"),
    CHOICE("model.init", model.init, "convex", "convex|random|both",
           "start of the ReLU network: the convex solution, random weights, both"),
    INTEGER("model.width", model.width, "0", 0, 1000000, "neurons of a random start (0: automatic)"),
    INTEGER("model.restarts", model.restarts, "1", 1, LARGEST, "random starts"),
    INTEGER("model.hidden", model.hidden, "4", 1, LARGEST,
            "first-layer width per sub-network with three layers"),
    CHOICE("model.loss", model.loss, "squared", "squared|logistic|softmax|squared-hinge|huber",
           "loss, summed over the samples"),
    POSITIVE("model.huber_width", model.huber_width, "1", "residual where the huber loss turns linear"),
    CHOICE("model.groups", model.groups, "joint", "joint|per-output|nuclear", "norm of one gate's weights"),
    POSITIVE("model.beta", model.beta, "0.01",
             "regularisation relative to beta_max, the least that gives zero"),
    REAL("model.beta_absolute", model.beta_absolute, "0", 0, "regularisation itself (0: use model.beta)"),

    POSITIVE("solver.tolerance", solver.tolerance, "1e-3", "relative duality gap to stop at"),
    INTEGER("solver.max_iterations", solver.max_iterations, "2000", 1, LARGEST, "budget of iterations"),
    REAL("solver.max_seconds", solver.max_seconds, "0", 0,
         "budget of seconds, over all parts of a resumed run (0: no limit)"),
    CHOICE("solver.x_update", solver.x_update, "auto",
           "auto|block-kernel|block-gram|global-kernel|global-gram", "factor of the x-update"),
    INTEGER("solver.block_rows", solver.block_rows, "0", 0, LARGEST, "rows per block (0: automatic)"),
    REAL("solver.rho", solver.rho, "0", 0, "penalty (0: automatic and adaptive)"),
    INTEGER("solver.anderson", solver.anderson, "10", 0, 50, "memory of the acceleration (0: off)"),
    BOOLEAN("solver.newton", solver.newton, "true",
            "Newton steps within the iteration once the groups settle"),
    BOOLEAN("solver.polish", solver.polish, "false",
            "Newton's method at the end, to a relative gap of 1e-10 (or solver.tolerance, below 1e-6)"),
    CHOICE("solver.precision", solver.precision, "double", "single|double",
           "single: float32 products, float64 sums and certificate"),

    INTEGER("path.points", path.points, "50", 1, 100000, "values of beta, from beta_max down to model.beta"),
    {"path.hold_out", HS_SETTING_REAL, AT(path.hold_out), "0.2", 0, 0.5, true, NULL,
     "share of the training rows that is held out to choose by, without data.validation"},
    CHOICE("path.choose", path.choose, "best", "best|one-error",
           "best: by validation score; one-error: the largest beta within one standard error of it"),
    CHOICE("path.weights", path.weights, "auto", "auto|all|chosen",
           "weights to keep: of all points, or of the chosen one (auto: all up to 64 MB)"),

    CHOICE("network.method", network.method, "lbfgs", "lbfgs|adam|both", "local method of the random starts"),
    INTEGER("network.rounds", network.rounds, "30", 0, LARGEST,
            "rounds of neuron column generation (0: local methods alone)"),
    POSITIVE("network.tolerance", network.tolerance, "2e-3",
             "relative width of the estimated bracket on the ReLU network's optimum to stop at"),
    REAL("network.max_seconds", network.max_seconds, "300", 0,
         "seconds for column generation and the starts from the convex solution (0: no limit)"),

    REAL("bounds.max_seconds", bounds.max_seconds, "60", 0,
         "seconds for the proof of the global lower bound (0: none)"),
    INTEGER("bounds.starts", bounds.starts, "2048", 0, LARGEST,
            "searches behind the estimated lower bound (0: no estimate)"),

    INTEGER("seed", seed, "1", 0, INFINITY, "gates and searches depend on it"),
    REAL("watchdog_seconds", watchdog_seconds, "600", 0,
         "longest wait for other ranks before the job is ended with code 8 (0: for ever)"),

    TEXT("output.run", output.run, "run.h5", 1, "file for the results"),
    TEXT("output.checkpoint", output.checkpoint, "", 0, "restart file (empty: output.run with .ckpt added)"),
    REAL("output.checkpoint_seconds", output.checkpoint_seconds, "300", 0,
         "seconds between checkpoints, also on SIGUSR1, SIGUSR2, SIGTERM (0: on signals alone)"),
};

const int hs_setting_count = (int)(sizeof hs_setting_table / sizeof hs_setting_table[0]);

_Static_assert(sizeof hs_setting_table / sizeof hs_setting_table[0] <= HS_SETTINGS_MOST,
               "raise HS_SETTINGS_MOST");
