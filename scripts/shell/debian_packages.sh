# shellcheck shell=bash
# Sourced by scripts/setup: installs the Debian packages that are missing; log is set there.

# missing_packages SECTION...: those of apt.txt that dpkg does not have, one a line.
missing_packages() {
  local names
  mapfile -t names < <(packages apt.txt "$@")
  { dpkg-query --show --showformat='${db:Status-Abbrev} ${Package}\n' "${names[@]}" 2> /dev/null || true; } |
    awk -v names="${names[*]}" '
      substr($1, 2, 1) == "i" { installed[$2] = 1 }
      END { n = split(names, name, " "); for (i = 1; i <= n; ++i) if (!(name[i] in installed)) print name[i] }'
}

# apt_get ACTION ARGUMENTS...: apt-get without questions, its output in the log; waits for another apt to end.
apt_get() {
  local as_root=()
  if [[ "$(id -u)" != 0 ]]; then
    as_root=(sudo -n)
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 \
    "$@" < /dev/null >> "${log}" 2>&1
}

may_install() { [[ "$(id -u)" == 0 ]] || sudo -n true 2> /dev/null; }

# install_debian_packages program|tests
install_debian_packages() {
  local sections=(program) missing faster
  if [[ "$1" == tests ]]; then
    sections+=(tests)
  fi
  if [[ "${MPBENCH_APT:-}" == no ]]; then
    return 0
  fi
  if ! command -v dpkg-query > /dev/null || ! command -v apt-get > /dev/null; then
    fail "this system has no apt: install the libraries named in scripts/packages/apt.txt in its own way," \
      "then set MPBENCH_APT=no and run it again"
  fi
  mapfile -t missing < <(missing_packages "${sections[@]}")
  mapfile -t faster < <(missing_packages faster-build)
  if (( ${#missing[@]} + ${#faster[@]} == 0 )); then
    return 0
  fi
  if ! may_install && (( ${#missing[@]} == 0 )); then
    return 0
  fi
  missing+=("${faster[@]}")
  may_install || fail "Debian packages are missing and installing them needs root. Run:" \
    "sudo apt-get update && sudo apt-get install -y ${missing[*]}"

  lock_cache
  say "Installing ${#missing[@]} Debian packages (log: ${log}): ${missing[*]}"
  apt_get update || true # an unreachable source that no package needs is no reason to stop
  apt_get install --no-install-recommends "${missing[@]}" || explain_apt_failure "${missing[@]}"
}

explain_apt_failure() {
  local unknown
  unknown="$(sed -n 's/^E: Unable to locate package //p' "${log}" | sort -u | paste -s -d ' ')"
  if grep -qE 'No space left on device|enough free space' "${log}"; then
    fail "the disk is full: could not install the Debian packages $*; free some space and run it again (log: ${log})"
  elif grep -qiE 'Temporary failure resolving|Could not resolve|Could not connect|Unable to connect|Network is unreachable|Connection (failed|timed out)|Failed to fetch' "${log}"; then
    fail "no network: could not download the Debian packages $*; connect and run it again (log: ${log})"
  elif [[ -n "${unknown}" ]]; then
    fail "this system's apt sources have no package ${unknown} (Debian 12 or newer has them);" \
      "install the libraries in another way, then set MPBENCH_APT=no and run it again (log: ${log})"
  elif grep -q 'dpkg was interrupted' "${log}"; then
    fail "an earlier installation was cut short: run 'sudo dpkg --configure -a', then this again (log: ${log})"
  elif grep -q 'Could not get lock' "${log}"; then
    fail "another program held apt's lock for 5 minutes: let it end and run it again (log: ${log})"
  fi
  fail_with_log "${log}" "apt-get could not install the Debian packages $*; see why above, and run it again"
}
