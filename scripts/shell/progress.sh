# shellcheck shell=bash
# Sourced by the scripts: shows how far a step has come that takes minutes. On a terminal it is one line, rewritten
# every second; elsewhere a line now and then. messages.sh comes before.

seconds_between_lines=30
progress_fd=
progress_pid=

# start_progress FUNCTION ARGUMENT...: until stop_progress, shows what FUNCTION prints; it is called with the seconds
# since the start as a further argument. What runs meanwhile is to be started with {progress_fd}>&-: the display ends
# when nothing holds this pipe open any more, so it never outlives a script that was killed.
start_progress() {
  exec {progress_fd}> >(show_progress "$@")
  progress_pid=$!
}

stop_progress() {
  if [[ -n "${progress_fd}" ]]; then
    exec {progress_fd}>&-
    progress_fd=
    wait "${progress_pid}" || true
  fi
}

show_progress() {
  local start="${SECONDS}" interval="${seconds_between_lines}" columns='' line shown=
  trap '' INT TERM # what ends it is the end of the pipe, so that its line is erased first
  if [[ -t 2 && -n "${TERM:-}" && "${TERM}" != dumb ]]; then
    interval=1
  fi
  while true; do
    read -r -t "${interval}" || (( $? > 128 )) || break # more than 128: the time is up, and the pipe still open
    line="$("$@" $(( SECONDS - start )))" || continue
    if (( interval > 1 )); then
      say "${line}"
      continue
    fi
    columns="$(stty size <&2 2> /dev/null | cut -d ' ' -f 2)" || true
    if [[ "${columns:-0}" == 0 ]]; then
      columns=80
    fi
    printf '\r%s\033[K' "${line:0:columns - 1}" >&2
    shown=yes
  done
  if [[ -n "${shown}" ]]; then
    printf '\r\033[K' >&2
  fi
}

# clock SECONDS: as 4:31
clock() { printf '%d:%02d' $(( $1 / 60 )) $(( $1 % 60 )); }
