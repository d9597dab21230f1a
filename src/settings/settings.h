/* settings.h: everything a user can choose, resolved.
 *
 * One table (settings/table.h) drives parsing, defaults, checks, help, the banner and the copy in the run
 * file. After hs_settings_check the structure is constant; values that the solver adapts live in its state.
 */
#ifndef HS_SETTINGS_SETTINGS_H
#define HS_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/precision.h"
#include "base/status.h"
#include "group/group.h"
#include "loss/loss.h"

#define HS_TEXT 1024 /* longest text value, with the closing zero */

typedef enum hs_scaling {
  HS_SCALING_AUTO,
  HS_SCALING_NONE,
  HS_SCALING_CENTER,
  HS_SCALING_ZSCORE,
  HS_SCALING_UNIT_NORM,
  HS_SCALING_COMMON
} hs_scaling_t;

typedef enum hs_activation { HS_GATED, HS_RELU } hs_activation_t;

typedef enum hs_x_kind {
  HS_X_AUTO,
  HS_X_BLOCK_KERNEL,
  HS_X_BLOCK_GRAM,
  HS_X_GLOBAL_KERNEL,
  HS_X_GLOBAL_GRAM
} hs_x_kind_t;

typedef enum hs_solve { HS_SOLVE_GATED, HS_SOLVE_CONSTRAINED } hs_solve_t;
/* Of a path: the point of the best score, or the first one within a standard error of it. */
typedef enum hs_choice { HS_CHOOSE_BEST, HS_CHOOSE_ONE_ERROR } hs_choice_t;
typedef enum hs_keep { HS_KEEP_AUTO, HS_KEEP_ALL, HS_KEEP_CHOSEN } hs_keep_t;

typedef enum hs_init { HS_INIT_CONVEX, HS_INIT_RANDOM, HS_INIT_BOTH } hs_init_t;
/* What further gates are searched by (PRICING.md 1): what they do for the gated model, or for the ReLU network. */
typedef enum hs_price_kind { HS_PRICE_GATED, HS_PRICE_RELU } hs_price_kind_t;
typedef enum hs_local_method { HS_LOCAL_LBFGS, HS_LOCAL_ADAM, HS_LOCAL_BOTH } hs_local_method_t;

typedef struct hs_settings {
  struct {
    char train[HS_TEXT], test[HS_TEXT], validation[HS_TEXT]; /* "" : none */
    char features[HS_TEXT], targets[HS_TEXT];
    bool bias;
    hs_scaling_t scaling;
  } data;
  struct {
    int64_t layers;
    hs_activation_t activation;
    int64_t gates;
    char gates_from[HS_TEXT];
    int64_t gate_rounds, gate_batch, gate_add;
    hs_price_kind_t price;
    hs_solve_t solve;
    hs_init_t init;
    int64_t width, restarts, hidden;
    hs_loss_kind_t loss;
    double huber_width;
    hs_groups_t groups;
    double beta;          /* relative to beta_max */
    double beta_absolute; /* 0: use beta */
  } model;
  struct {
    double tolerance;
    int64_t max_iterations;
    double max_seconds; /* 0: no limit */
    hs_x_kind_t x_update;
    int64_t block_rows; /* 0: automatic */
    double rho;         /* 0: automatic and adaptive */
    int64_t anderson;
    bool newton;
    bool polish;
    hs_precision_t precision;
  } solver;
  struct {
    int64_t points;
    double hold_out; /* share of the rows; without data.validation */
    hs_choice_t choose;
    hs_keep_t weights;
  } path;
  struct {
    hs_local_method_t method; /* of the random starts */
    int64_t rounds;           /* of column generation */
    double tolerance;         /* relative width of the estimated bracket to stop at */
    double max_seconds;       /* 0: no limit */
  } network;
  struct {
    double max_seconds;
    int64_t starts; /* of the estimated bound */
  } bounds;
  int64_t seed;
  double watchdog_seconds; /* 0: none */
  struct {
    char run[HS_TEXT];
    char checkpoint[HS_TEXT]; /* "": (run).ckpt */
    double checkpoint_seconds;
  } output;
} hs_settings_t;

/* All defaults of the table. Not collective (like everything here). */
void hs_settings_default(hs_settings_t *settings);

/* Parse YAML text: nested mappings, keys of the table ("solver: {tolerance: 1e-4}" is solver.tolerance).
 *   file  its name, for messages, which read  FILE: line N: key: what (what would be right)
 * Unknown keys name the nearest known one; a key given twice is an error. */
hs_status_t hs_settings_parse(hs_settings_t *settings, const char *file, const char *text);

/* One "key=value" of the command line. */
hs_status_t hs_settings_override(hs_settings_t *settings, const char *assignment);

/* Combinations that no single row of the table can judge, and values this version cannot do. */
hs_status_t hs_settings_check(const hs_settings_t *settings);

/* A warning for each setting that differs from its default but has no effect in this version. */
void hs_settings_warn_idle(const hs_settings_t *settings);

/* The resolved settings as YAML, every key of the table. *text is owned by the caller (hs_free). */
hs_status_t hs_settings_to_yaml(const hs_settings_t *settings, char **text);

/* Help text generated from the table, to a stream: key, default, meaning, legal values. */
struct _IO_FILE;
void hs_settings_help(struct _IO_FILE *stream);

#endif
