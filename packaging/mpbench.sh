#!/bin/sh
# mpbench on the PATH of a Python environment: becomes the program in the environment's packages.
script=$0
[ -L "$script" ] && script=$(readlink -f -- "$script")
case $script in
  */*) folder=${script%/*} ;;
  *) folder=. ;;
esac
# In turn: a virtual environment or --user, Debian's own Python, and --target.
program=
for found in "$folder"/../lib*/python3*/*-packages/mpbench/bin/mpbench "$folder"/../mpbench/bin/mpbench; do
  # Of several Pythons that share a folder (--user), the one installed last.
  # shellcheck disable=SC3013  # dash, bash and busybox have -nt
  if [ -x "$found" ] && { [ -z "$program" ] || [ "$found" -nt "$program" ]; }; then
    program=$found
  fi
done
if [ -z "$program" ]; then
  echo "mpbench: no package mpbench beside $folder: run 'python -m mpbench' with the Python that has it, or install it again" >&2
  exit 1
fi
exec "$program" "$@"
