# shellcheck shell=bash
# Sourced by scripts/demo, scripts/test and others: configures and builds the release preset.
# messages.sh comes before.

source "${root:?}/scripts/shell/progress.sh"

build="${root}/build/release"

# build_jobs: as many compilers as there are cores and memory for; a file with torch's headers takes 2.5 GB.
build_jobs() {
  local cores memory limit
  cores="$(nproc)"
  memory="$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)"
  limit="$(cat /sys/fs/cgroup/memory.max 2> /dev/null || echo max)"
  if [[ "${limit}" =~ ^[0-9]+$ ]] && (( limit / 1048576 < memory )); then
    memory=$(( limit / 1048576 ))
  fi
  local jobs=$(( memory / 2500 ))
  (( jobs <= cores )) || jobs="${cores}"
  (( jobs >= 1 )) || jobs=1
  echo "${jobs}"
}

# configure_build LIBTORCH OPTION...: quiet unless it fails.
configure_build() {
  local libtorch="$1" log="${build}/configure.log"
  shift
  mkdir -p -- "${build}" 2> /dev/null || fail "cannot write to ${build}: make it writable, and run it again"
  # A folder that was configured for another place or generator cannot be used again.
  if [[ -f "${build}/CMakeCache.txt" ]] &&
    ! { grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=${root}" "${build}/CMakeCache.txt" &&
      grep -qxF "CMAKE_GENERATOR:INTERNAL=Ninja" "${build}/CMakeCache.txt"; }; then
    rm -rf -- "${build}/CMakeCache.txt" "${build}/CMakeFiles"
  fi
  (cd -- "${root}" && cmake --preset release -DMPBENCH_LIBTORCH="${libtorch}" \
    -DMPBENCH_CUDA="${MPBENCH_CUDA:-AUTO}" -DMPBENCH_WARNINGS_AS_ERRORS=OFF "$@") < /dev/null > "${log}" 2>&1 ||
    fail_with_log "${log}" "configuring the build failed; see why above"
}

# build_progress LOG SECONDS: ninja starts each line with the count, [120/318].
build_progress() {
  local count
  count="$(sed -n 's|^ *\[\([0-9]*\)/\([0-9]*\)\] .*|\1 of \2|p' "$1" | tail -n 1)"
  printf 'Built %s files in %s\n' "${count:-no}" "$(clock "$2")"
}

# run_build TARGET...: what the compiler says goes to the log; where it fails, to the terminal as well. The time left is
# not estimated: files without LibTorch's headers come first and compile in a second, those with them in up to thirty.
run_build() {
  local log="${build}/build.log" jobs status=0
  jobs="$(build_jobs)"
  say "Building with ${jobs} jobs (minutes the first time; log: ${log})"
  trap 'stop_progress; say "${script_name}: interrupted; run it again to go on"; exit 130' INT TERM
  start_progress build_progress "${log}"
  NINJA_STATUS='[%f/%t] ' cmake --build "${build}" --target "$@" --parallel "${jobs}" \
    < /dev/null > "${log}" 2>&1 {progress_fd}>&- || status=$?
  stop_progress
  trap - INT TERM
  if (( status != 0 )); then
    grep -m 1 -A 20 '^FAILED: ' "${log}" >&2 || true
    fail_with_log "${log}" "the build failed; see why above"
  fi
}
