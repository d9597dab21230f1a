#include "base/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t raised;

/* The handler does one thing: anything more would not be safe at an arbitrary instruction. */
static void raise_flag(int signal_number)
{
  if (raised && signal_number == SIGINT) signal(SIGINT, SIG_DFL);
  raised = 1;
}

void hs_interrupt_watch(void)
{
  struct sigaction action = {.sa_handler = raise_flag, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  action.sa_handler = SIG_IGN;
  sigaction(SIGUSR1, &action, NULL);
}

bool hs_interrupted(void)
{
  return raised != 0;
}
