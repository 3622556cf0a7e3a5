"""Plans of TensorRT that were built before, kept in a folder that nobody else may write to.

A plan is a program: one that somebody else put there would run as the robot's user. So a plan is
read only if it and its folder belong to this user and nobody else may write to either. A file
begins with a line on what it was built for and the checksum of what follows; what is truncated,
changed or for another machine is built anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

FORMAT = "emopulse plan 1"
LONGEST_HEAD = 4096
SUFFIX = ".plan"


class CacheError(RuntimeError):
    """Plans cannot be kept, or one cannot be used; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class PlanKey:
    """What a plan was built with, and for: it runs there and nowhere else."""

    tensorrt: str
    capability: str
    device: str
    model_hash: str
    faces: int

    @property
    def file(self) -> str:
        """Name of its file."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32] + SUFFIX


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in the cache; ``trouble`` says why it cannot be used, and is empty if it can."""

    path: Path
    size: int
    key: PlanKey | None
    trouble: str


def cache_folder() -> Path:
    """Where plans are kept: ``$XDG_CACHE_HOME/emopulse/engines``, ``~/.cache`` by default."""
    # A relative path there is to be ignored, says the XDG base directory specification.
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".cache") / "emopulse" / "engines"


class PlanCache:
    """Plans by their keys in a folder, by default that of :func:`cache_folder`."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = cache_folder() if folder is None else folder

    def get(self, key: PlanKey) -> bytes | None:
        """The plan for a key; None if there is none.

        :raises CacheError: if there is one which cannot be used, or the folder cannot.
        """
        try:
            with self._open_folder() as folder:
                kept_key, plan = self._read(folder, key.file)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CacheError(
                f"the plan {self.folder / key.file} cannot be read: {error.strerror}"
            ) from error
        if kept_key != key:
            raise CacheError(f"the plan {self.folder / key.file} is for something else")
        return plan

    def put(self, key: PlanKey, plan: bytes) -> Path:
        """Keep a plan; whoever reads meanwhile finds the old file or the new one, whole.

        :raises CacheError: if the folder cannot be made, or is not this user's alone.
        """
        path = self.folder / key.file
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._open_folder() as folder:
                self._write(folder, path, _head(key, plan) + plan)
        except OSError as error:
            raise CacheError(f"the plan {path} cannot be kept: {error.strerror}") from error
        return path

    def kept(self) -> list[Kept]:
        """Every plan in the folder, by name.

        :raises CacheError: if the folder cannot be used.
        """
        try:
            with self._open_folder() as folder:
                names = sorted(path.name for path in self.folder.iterdir())
                return [self._look(folder, name) for name in names if name.endswith(SUFFIX)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise CacheError(f"{self.folder} cannot be read: {error.strerror}") from error

    def _look(self, folder: int, name: str) -> Kept:
        path = self.folder / name
        try:
            key, plan = self._read(folder, name)
        except (CacheError, OSError) as error:
            return Kept(path, 0, None, str(error))
        wrong = "" if key.file == name else f"the plan {path} is for something else"
        return Kept(path, len(plan), key, wrong)

    @contextmanager
    def _open_folder(self) -> Iterator[int]:
        """The folder, checked: what is opened through it is what was checked."""
        try:
            folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise CacheError(f"{self.folder} cannot be opened: {error.strerror}") from error
        try:
            _check_owner(os.fstat(folder), f"the folder {self.folder}")
            yield folder
        finally:
            os.close(folder)

    def _read(self, folder: int, name: str) -> tuple[PlanKey, bytes]:
        path = self.folder / name
        try:
            number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise CacheError(f"the plan {path} cannot be opened: {error.strerror}") from error
        with os.fdopen(number, "rb") as file:
            about = os.fstat(number)
            if not stat.S_ISREG(about.st_mode):
                raise CacheError(f"the plan {path} is no file")
            _check_owner(about, f"the plan {path}")
            head, plan = file.readline(LONGEST_HEAD), file.read()
        return _checked(head, plan, path), plan

    def _write(self, folder: int, path: Path, content: bytes) -> None:
        number, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=self.folder)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(number)
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
        os.fsync(folder)


def _check_owner(about: os.stat_result, what: str) -> None:
    if about.st_uid != os.geteuid():
        raise CacheError(f"{what} belongs to another user, so no plan in it is used: delete it")
    if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CacheError(f"others may write to {what}, so no plan in it is used: delete it")


def _head(key: PlanKey, plan: bytes) -> bytes:
    text = json.dumps(
        {"format": FORMAT, "sha256": hashlib.sha256(plan).hexdigest(), "key": asdict(key)}
    )
    return text.encode() + b"\n"


def _checked(head: bytes, plan: bytes, path: Path) -> PlanKey:
    """The key in a file's first line, if the rest is what the line says."""
    try:
        told = json.loads(head)
        if told["format"] != FORMAT:
            raise ValueError("another format")
        key, checksum = PlanKey(**told["key"]), told["sha256"]
    except (ValueError, TypeError, KeyError) as error:
        raise CacheError(f"the plan {path} does not say what it is for") from error
    if hashlib.sha256(plan).hexdigest() != checksum:
        raise CacheError(f"the plan {path} is not whole")
    return key
