"""Steps that are done once and again only when what they are made from has changed."""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


def digest(*parts: str | Path) -> str:
    """Hash of texts, files and everything in folders, names included."""
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            total.update(part.encode())
            continue
        for file in sorted(part.rglob("*")) if part.is_dir() else [part]:
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(f"\0{file.relative_to(part.parent)}\0".encode() + file.read_bytes())
    return total.hexdigest()


@dataclass(frozen=True)
class Step:
    """One piece of the set-up. ``key`` changes whenever ``work`` has to be done again.

    ``fragile`` work leaves wreckage when it is killed half way, on which nothing can be built.
    """

    name: str
    says: str
    key: str
    work: Callable[[], None]
    fragile: bool = False


class Ledger:
    """Which steps are done, written down in a folder of the virtual environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._begun = folder / "begun"

    def wrecked(self) -> bool:
        """Whether a fragile step was killed half way."""
        return self._begun.is_file()

    def done(self, step: Step) -> bool:
        """Whether a step has nothing to do."""
        stamp = self._stamp(step.name)
        return stamp.is_file() and stamp.read_text() == step.key

    def run(self, steps: Iterable[Step]) -> None:
        """Do what is not done, in order; a step that fails is done again the next time."""
        for step in steps:
            if self.done(step):
                continue
            print(f"set-up: {step.says} ...", end="", file=sys.stderr, flush=True)
            start = time.monotonic()
            self._stamp(step.name).unlink(missing_ok=True)
            if step.fragile:
                self._begun.touch()
            try:
                step.work()
            except Exception:
                # It failed in its own way and cleaned up; only a kill leaves the mark.
                print(file=sys.stderr)
                self._begun.unlink(missing_ok=True)
                raise
            self._stamp(step.name).write_text(step.key)
            self._begun.unlink(missing_ok=True)
            print(f" {time.monotonic() - start:.0f} s", file=sys.stderr)

    def start_afresh(self, venv: Path) -> None:
        """Throw the virtual environment away, ledger and all, and begin an empty one."""
        if venv.exists():
            shutil.rmtree(venv)
        self.folder.mkdir(parents=True)

    def _stamp(self, name: str) -> Path:
        return self.folder / f"{name}.done"
