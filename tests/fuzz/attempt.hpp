#pragma once

#include "mpbench/core/error.hpp"

namespace mpbench::fuzz {

/// Calls a reader; a refusal by an Error is as good as a result.
template <class Read>
void attempt(Read&& read) {
  try {
    read();
  } catch (const Error&) {
    return;
  }
}

}  // namespace mpbench::fuzz
