# shellcheck shell=bash
# Sourced by scripts/setup: is the compiler there, and are it and CMake new enough?

least_gcc=12
least_cmake=3.23

# at_least LEAST VERSION
at_least() { printf '%s\n%s\n' "$1" "$2" | sort --version-sort --check=quiet; }

check_compiler() {
  local command="${CXX:-}" version
  if [[ -z "${command}" ]]; then
    command="$(command -v c++ || command -v g++ || true)"
    [[ -n "${command}" ]] ||
      fail "no C++ compiler: install one ('sudo apt-get install g++'), or name one with CXX, and run it again"
  fi
  # CXX may carry options or a launcher: left unquoted on purpose.
  # shellcheck disable=SC2086
  version="$(${command} --version 2> /dev/null)" ||
    fail "the C++ compiler '${command}' does not run: name one that does with CXX, and run it again"
  if [[ "${version}" == *"Free Software Foundation"* ]]; then
    # shellcheck disable=SC2086
    version="$(${command} -dumpfullversion)"
    at_least "${least_gcc}" "${version}" ||
      fail "the C++ compiler '${command}' is gcc ${version}, and C++20 here needs ${least_gcc} or newer:" \
        "name a newer one with CXX, and run it again"
  fi
}

check_cmake() {
  local version
  command -v cmake > /dev/null || fail "no cmake: install cmake ${least_cmake} or newer, and run it again"
  version="$(cmake --version | sed -n '1s/^cmake version //p')"
  at_least "${least_cmake}" "${version}" ||
    fail "$(command -v cmake) is cmake ${version}, and ${least_cmake} or newer is needed:" \
      "install a newer one or put it first in PATH, and run it again"
  command -v ninja > /dev/null || fail "no ninja: install it ('sudo apt-get install ninja-build'), and run it again"
}
