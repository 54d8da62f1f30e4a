#!/bin/sh
# Runs a Python program of the runfiles tree.
PYTHONPATH=$PWD exec python3 -B "$@"
