# shellcheck shell=bash
# Sourced by scripts/setup: LibTorch from its wheel, into a virtual environment of the user's cache.
# cache, log and partial are set there.

python="${PYTHON:-python3}"

# What an environment takes while it is made, downloads and pip's own cache of them included.
declare -A gigabytes_needed=([slim]=3 [full]=10)
declare -A gigabytes_downloaded=([slim]=0.6 [full]=3)
declare -A gigabytes_unpacked=([slim]=1.3 [full]=5.3)
# torch has wheels from Python 3.10 on; numpy, which the tests compare with, from 3.11 on.
declare -A least_python=([slim]=3.10 [full]=3.11)

check_own_libtorch() {
  local part
  for part in include/torch lib/libtorch_cpu.so lib/libc10.so; do
    [[ -e "${MPBENCH_LIBTORCH}/${part}" ]] ||
      fail "MPBENCH_LIBTORCH is '${MPBENCH_LIBTORCH}', which holds no ${part}: set it to the folder of a LibTorch," \
        "or unset it to have one installed"
  done
}

check_python() {
  local version
  command -v "${python}" > /dev/null ||
    fail "no ${python}: install Python ${least_python[$1]} or newer with its venv module ('sudo apt-get install python3-venv')"
  version="$("${python}" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>> "${log}")" ||
    fail "'${python}' does not run: name a working Python with PYTHON, and run it again"
  at_least "${least_python[$1]}" "${version}" ||
    fail "'${python}' is Python ${version}, and ${least_python[$1]} or newer is needed: name a newer one with PYTHON" \
      "(PYTHON=python3.12 ${script_name}), and run it again"
  "${python}" -c 'import ensurepip, venv' 2>> "${log}" ||
    fail "'${python}' has no venv module: install it ('sudo apt-get install python3-venv'), or name another Python with PYTHON"
}

check_free_space() {
  local free
  free="$(df --output=avail --block-size=1G -- "${cache}" | tail -n 1 | tr -d ' ')"
  (( free >= gigabytes_needed[$1] )) ||
    fail "installing LibTorch needs ${gigabytes_needed[$1]} GB free and ${cache} has ${free}: free some space," \
      "or name another folder with XDG_CACHE_HOME"
}

# gigabytes FOLDER...: what their files hold.
gigabytes() {
  { du -s --apparent-size --block-size=1kB -- "$@" 2> /dev/null || true; } |
    awk '{ sum += $1 } END { printf "%.2f\n", sum / 1e6 }'
}

# install_progress slim|full VENV SECONDS: what pip is doing, by its log and the folder that it fills.
install_progress() {
  local kind="$1" venv="$2" seconds="$3" now
  if grep -q '^Installing collected packages' "${venv}/pip.log"; then
    printf 'Unpacked %s of about %s GB in %s\n' \
      "$(gigabytes "${venv}/lib")" "${gigabytes_unpacked[${kind}]}" "$(clock "${seconds}")"
  else
    now="$(sed -n 's/^ *Downloading \([^-]*\)-.* (\(.*\))$/ (now \1, \2)/p' "${venv}/pip.log" | tail -n 1)"
    # The files beside these folders are pip's own cache in the making: the same bytes once more.
    printf 'Downloaded %s of about %s GB in %s%s\n' \
      "$(gigabytes "${venv}"/downloads/*/)" "${gigabytes_downloaded[${kind}]}" "$(clock "${seconds}")" "${now}"
  fi
}

loading_progress() { printf 'Checking that Python loads it, %s\n' "$(clock "$1")"; }

# pip_install slim|full VENV
pip_install() {
  local kind="$1" venv="$2" attempt status options=()
  packages pypi.txt torch "${kind}" > "${venv}/requirements.txt"
  if [[ "${kind}" == slim ]]; then
    options+=(--no-deps)
  fi
  # pip unpacks gigabytes in TMPDIR, which is often a small file system of its own. Settings of the user's that
  # would install elsewhere than in this environment are put aside.
  for attempt in 1 2 3; do
    printf 'pip install, attempt %s\n' "${attempt}" > "${venv}/pip.log"
    start_progress install_progress "${kind}" "${venv}"
    status=0
    env -u PYTHONPATH -u PYTHONHOME -u PIP_TARGET -u PIP_PREFIX -u PIP_ROOT -u PIP_CONSTRAINT -u PIP_REQUIREMENT \
      PIP_USER=0 TMPDIR="${venv}/downloads" PIP_DEFAULT_TIMEOUT="${PIP_DEFAULT_TIMEOUT:-60}" \
      "${venv}/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
      "${options[@]}" --requirement "${venv}/requirements.txt" \
      < /dev/null >> "${venv}/pip.log" 2>&1 {progress_fd}>&- || status=$?
    stop_progress
    cat -- "${venv}/pip.log" >> "${log}"
    if (( status == 0 )); then
      return 0
    fi
    # What pip does not repeat by itself: a connection that ends in the middle of a wheel.
    if grep -q 'No space left on device' "${venv}/pip.log" ||
      ! grep -qE 'Connection broken|IncompleteRead|Read timed out|Connection reset' "${venv}/pip.log"; then
      break
    fi
    say "The download broke off (attempt ${attempt} of 3)."
  done
  explain_pip_failure "${kind}"
}

# explain_pip_failure slim|full: ends the script with what the log says.
explain_pip_failure() {
  local what
  what="LibTorch $(torch_version) (${1})"
  if grep -q 'No space left on device' "${log}"; then
    fail "the disk is full: could not install ${what} in ${cache}; free ${gigabytes_needed[$1]} GB," \
      "or name another folder with XDG_CACHE_HOME (log: ${log})"
  elif grep -qE 'NewConnectionError|name resolution|Name or service not known|Network is unreachable|ConnectTimeout|Connection broken|IncompleteRead|Read timed out|Connection reset|ProxyError|SSLError' "${log}"; then
    fail "no network, or it broke off: could not download ${what} from PyPI; connect and run it again," \
      "or set MPBENCH_LIBTORCH to a LibTorch that you have (log: ${log})"
  elif grep -q 'No matching distribution found' "${log}"; then
    fail "PyPI has no $(sed -n 's/^ERROR: No matching distribution found for //p' "${log}" | tail -n 1)" \
      "for $("${python}" --version) on $(uname -m): name another Python with PYTHON, or set MPBENCH_LIBTORCH to a LibTorch" \
      "that you have (log: ${log})"
  fi
  fail_with_log "${log}" "could not install ${what}; see why above, and run it again"
}

# names_partial VENV: whether its scripts name VENV.partial, where it was made.
names_partial() { grep -qIsF -- "${1##*/}.partial" "$1"/bin/*; }

# name_final_place VENV FOLDER: venv and pip write the folder in which they work into the scripts that they make, as the
# interpreter that starts them. In the scripts of FOLDER it becomes VENV.
name_final_place() {
  local name="${1##*/}" scripts
  mapfile -d '' -t scripts < <(grep -lIZsF -- "${name}.partial" "$2/pyvenv.cfg" "$2"/bin/*)
  if (( ${#scripts[@]} > 0 )); then
    sed -i "s/${name//./\\.}\\.partial/${name}/g" -- "${scripts[@]}"
  fi
}

# install_libtorch slim|full
install_libtorch() {
  local kind="$1" venv
  venv="$(venv_folder "${kind}")"
  if venv_ready "${kind}"; then
    # Earlier versions of this script left the environment so; that is no reason to download it again.
    if [[ -w "${venv}/bin" ]] && names_partial "${venv}"; then
      lock_cache
      name_final_place "${venv}" "${venv}"
    fi
    return 0
  fi
  lock_cache
  if venv_ready "${kind}"; then # another set-up made it while this one waited
    return 0
  fi
  check_python "${kind}"
  check_free_space "${kind}"

  # Made beside its place and renamed when whole: a download cut short is never taken for a LibTorch.
  partial="${venv}.partial"
  say "Installing LibTorch $(torch_version) (${kind}, ${gigabytes_downloaded[${kind}]} GB to download) in ${venv} (log: ${log})"
  rm -rf -- "${partial}" "${venv}.old"
  if ! { "${python}" -m venv -- "${partial}" && mkdir -- "${partial}/downloads"; } >> "${log}" 2>&1; then
    explain_pip_failure "${kind}"
  fi
  pip_install "${kind}" "${partial}"
  rm -rf -- "${partial}/downloads"
  if [[ "${kind}" == full ]]; then
    start_progress loading_progress
    if ! "${partial}/bin/python" -I -c 'import torch, torchvision' >> "${log}" 2>&1 {progress_fd}>&-; then
      stop_progress
      fail_with_log "${log}" "LibTorch $(torch_version) was installed, and Python cannot load it; see why above"
    fi
    stop_progress
  fi
  name_final_place "${venv}" "${partial}"
  pins_digest "${kind}" > "${partial}/pins.sha256"
  if [[ -e "${venv}" ]]; then
    mv -T -- "${venv}" "${venv}.old"
  fi
  mv -T -- "${partial}" "${venv}"
  partial=
  rm -rf -- "${venv}.old"
}
