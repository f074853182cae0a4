"""mpbench, a command-line program: 'mpbench --help', or 'python -m mpbench --help'."""
