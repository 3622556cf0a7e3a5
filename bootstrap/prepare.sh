#!/bin/sh
# Finds a Python and lets it set everything up: sh bootstrap/prepare.sh [PART]...; the parts are in plan.py
# PYTHON, where set, names the Python to use; else the one .venv was made with, else any that suits.
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(dirname -- "$here")

why=
for candidate in ${PYTHON:-$(cat "$root/.venv/.emopulse/python" 2>/dev/null) \
    python3 python3.12 python3.11 python3.13 python3.10}; do
    if ! command -v "$candidate" >/dev/null; then
        said='there is none'
    elif said=$("$candidate" "$here/suits.py" "$root/.venv" 2>&1); then
        cd "$root" && exec "$said" -m bootstrap "$@"
    fi
    why="$why
  $candidate: $said"
done

echo "set-up: no Python that suits. EmoPulse runs on Python 3.10 to 3.13, which on Debian and Ubuntu" \
    "comes with: sudo apt install python3 python3-venv python3-dev. One that is installed elsewhere" \
    "is named so: make PYTHON=/path/to/python3.12 test. Tried:$why" >&2
exit 2
