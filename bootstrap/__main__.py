"""`python -m bootstrap [PART ...]`: prepare `.venv` for the runtime and parts of the plan."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

from bootstrap.failure import SetupError
from bootstrap.plan import PARTS, prepare


def main(parts: list[str]) -> int:
    """Prepare for the named parts; 0 if all is well, 2 with a sentence if not."""
    root = Path(__file__).resolve().parent.parent
    lock = os.open(root, os.O_RDONLY)
    try:
        unknown = sorted(set(parts) - set(PARTS))
        if unknown:
            raise SetupError(f"unknown part {unknown[0]!r}; there are {', '.join(PARTS)}")
        _wait_for(lock)
        prepare(root, parts)
    except SetupError as problem:
        print(f"set-up: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nset-up: interrupted; run the same again to go on", file=sys.stderr)
        return 130
    finally:
        os.close(lock)
    return 0


def _wait_for(lock: int) -> None:
    """Let no two set-ups work in one folder at once."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("set-up: another one is at work here; waiting for it", file=sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
