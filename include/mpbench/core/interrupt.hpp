#pragma once

namespace mpbench {

/// Turns SIGINT and SIGTERM into a flag that long loops ask for, so that what is finished is kept.
/// A second signal ends the process at once, as the default action would.
void install_interrupt_handler();

/// Whether the user asked to stop.
bool interrupt_requested();

/// Throws Interrupted when the user asked to stop.
void throw_if_interrupted();

/// Sets or clears the flag as a signal would; for tests, and for a parent that passes a stop on.
void request_interrupt(bool requested = true);

}  // namespace mpbench
