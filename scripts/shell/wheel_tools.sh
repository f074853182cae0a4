# shellcheck shell=bash
# Sourced by scripts/wheel: the Python packages that make a wheel, in a small environment of their own in the user's cache.
# messages.sh and packages.sh come before.

wheel_tools="$(cache_folder)/wheel-tools"

# wheel_tools_ready: installed to the end, from today's pins, and its Python still starts.
wheel_tools_ready() {
  [[ -f "${wheel_tools}/pins.txt" && "$(< "${wheel_tools}/pins.txt")" == "$(packages pypi.txt wheel)" ]] &&
    "${wheel_tools}/bin/python" -c '' 2> /dev/null
}

install_wheel_tools() {
  local log="${wheel_tools}.log"
  if wheel_tools_ready; then
    return 0
  fi
  mkdir -p -- "$(cache_folder)"
  exec 9>> "${wheel_tools}.lock" # one at a time in one cache
  flock 9
  if ! wheel_tools_ready; then
    say "Installing what makes a wheel in ${wheel_tools} (35 MB; log: ${log})"
    rm -rf -- "${wheel_tools}"
    packages pypi.txt wheel > "${wheel_tools}.txt"
    { "${PYTHON:-python3}" -m venv -- "${wheel_tools}" &&
      env -u PYTHONPATH -u PIP_TARGET -u PIP_PREFIX PIP_USER=0 "${wheel_tools}/bin/python" -m pip install \
        --disable-pip-version-check --no-input --progress-bar off --requirement "${wheel_tools}.txt"; } \
      < /dev/null > "${log}" 2>&1 || fail_with_log "${log}" "could not install the packages that make a wheel; see why above"
    mv -- "${wheel_tools}.txt" "${wheel_tools}/pins.txt"
  fi
  exec 9>&-
}
