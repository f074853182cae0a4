# shellcheck shell=bash
# Sourced by the scripts: how they talk to a person. All of it goes to stderr.
# script_name is set by the script that sources this.

say() { printf '%s\n' "$*" >&2; }

# fail TEXT: the one line that ends a script which could not do its work.
fail() {
  printf '%s: %s\n' "${script_name:?}" "$*" >&2
  exit 1
}

# fail_with_log LOG TEXT: the same, after the end of the log that holds the reason.
fail_with_log() {
  local log="$1"
  shift
  tail -n 25 "${log}" >&2 || true
  fail "$* (log: ${log})"
}

usage_error() {
  printf '%s: %s\n' "${script_name:?}" "$*" >&2
  exit 2
}
