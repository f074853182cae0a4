#include "mpbench/core/interrupt.hpp"

#include <csignal>

#include "mpbench/core/error.hpp"

namespace mpbench {
namespace {
volatile std::sig_atomic_t requested_flag = 0;

void on_signal(int signal) {
  if (requested_flag != 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  requested_flag = 1;
}
}  // namespace

void install_interrupt_handler() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  // No SA_RESTART: a blocking read or wait returns, so that the loop around it can look at the
  // flag.
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A file that would outgrow the process's limit is then an error of the write, which names it.
  std::signal(SIGXFSZ, SIG_IGN);
}

bool interrupt_requested() { return requested_flag != 0; }

void throw_if_interrupted() {
  if (interrupt_requested()) throw Interrupted();
}

void request_interrupt(bool requested) { requested_flag = requested ? 1 : 0; }

}  // namespace mpbench
