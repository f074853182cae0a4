"""The checks of tests/structure.py, a file each. A check yields its problems, a line each."""
