# shellcheck shell=bash
# Sourced by the scripts: the package lists, and where in the user's cache what they name is installed.
# root is the repository's folder, set by the script that sources this; messages.sh comes before.

# packages FILE SECTION...: the lines under [SECTION] headings, comments left out.
packages() {
  local file="${root:?}/scripts/packages/$1"
  shift
  awk -v sections=" $* " '
    /^\[/ { wanted = index(sections, " " substr($0, 2, length($0) - 2) " ") > 0; next }
    wanted && NF && !/^#/ { print $1 }' "${file}"
}

# cache_folder: one for all clones of the repository, so that they share a LibTorch.
cache_folder() {
  if [[ "${XDG_CACHE_HOME:-}" == /* ]]; then
    printf '%s/mpbench\n' "${XDG_CACHE_HOME}"
  elif [[ -n "${HOME:-}" ]]; then
    printf '%s/.cache/mpbench\n' "${HOME}"
  else
    fail "neither XDG_CACHE_HOME nor HOME is set: set one, so that LibTorch has a place"
  fi
}

torch_version() { packages pypi.txt torch | sed -n 's/^torch==//p'; }

# venv_folder slim|full
venv_folder() { printf '%s/torch-%s-%s\n' "$(cache_folder)" "$(torch_version)" "$1"; }

venv_python() { printf '%s/bin/python\n' "$(venv_folder "$1")"; }

# venv_libtorch slim|full: the folder with LibTorch's include/ and lib/, or nothing.
venv_libtorch() { compgen -G "$(venv_folder "$1")/lib/python3*/site-packages/torch" | head -n 1; }

# pins_digest slim|full: what an environment was made from; setup leaves it in a file of the environment.
pins_digest() { packages pypi.txt torch "$1" | sha256sum | cut -d ' ' -f 1; }

# venv_ready slim|full: installed to the end, from today's pins, and its Python still starts.
venv_ready() {
  local venv
  venv="$(venv_folder "$1")"
  [[ -f "${venv}/pins.sha256" && "$(< "${venv}/pins.sha256")" == "$(pins_digest "$1")" ]] &&
    "${venv}/bin/python" -c '' 2> /dev/null
}

has_cuda_toolkit() {
  command -v nvcc > /dev/null || [[ -x "${CUDA_HOME:-/nowhere}/bin/nvcc" || -x /usr/local/cuda/bin/nvcc ]]
}

# wanted_venv program|tests: slim where the program alone is wanted and no CUDA could be linked; a full one
# that is there already serves both.
wanted_venv() {
  if [[ "$1" == tests || "${MPBENCH_CUDA:-AUTO}" == ON ]] || venv_ready full; then
    echo full
  elif [[ "${MPBENCH_CUDA:-AUTO}" != OFF ]] && has_cuda_toolkit; then
    echo full
  else
    echo slim
  fi
}

# libtorch_folder program|tests: what the build is to be linked with, once setup has run.
libtorch_folder() {
  if [[ -n "${MPBENCH_LIBTORCH:-}" ]]; then
    realpath -- "${MPBENCH_LIBTORCH}"
  else
    venv_libtorch "$(wanted_venv "$1")"
  fi
}
