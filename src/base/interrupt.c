#include "base/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t stop_raised, checkpoint_raised;

/* The handlers do one thing: anything more would not be safe at an arbitrary instruction. */
static void raise_stop(int signal_number)
{
  if (stop_raised && signal_number == SIGINT) signal(SIGINT, SIG_DFL);
  stop_raised = 1;
}

static void raise_checkpoint(int signal_number)
{
  (void)signal_number;
  checkpoint_raised = 1;
}

void hs_interrupt_watch(void)
{
  struct sigaction action = {.sa_handler = raise_stop, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  action.sa_handler = raise_checkpoint;
  sigaction(SIGUSR1, &action, NULL);
}

bool hs_interrupted(void)
{
  return stop_raised != 0;
}

bool hs_checkpoint_asked(void)
{
  bool asked = checkpoint_raised != 0;
  checkpoint_raised = 0;
  return asked;
}

void hs_interrupt_ignore_file_limit(void)
{
  signal(SIGXFSZ, SIG_IGN);
}
