# shellcheck shell=bash
# Sourced by scripts/demo and scripts/test: configures and builds the release preset.

build="${root:?}/build/release"

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
    -DMPBENCH_CUDA="${MPBENCH_CUDA:-AUTO}" "$@") < /dev/null > "${log}" 2>&1 ||
    fail_with_log "${log}" "configuring the build failed; see why above"
}

# run_build TARGET: quiet unless it fails.
run_build() {
  local log="${build}/build.log" jobs
  jobs="$(build_jobs)"
  say "Building with ${jobs} jobs (minutes the first time; log: ${log})"
  cmake --build "${build}" --target "$1" --parallel "${jobs}" < /dev/null > "${log}" 2>&1 || {
    grep -m 1 -A 20 '^FAILED: ' "${log}" >&2 || true
    fail_with_log "${log}" "the build failed; see why above"
  }
}
