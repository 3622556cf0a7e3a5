"""The one error that ends a command with exit status 2."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class BadInputError(Exception):
    """What the user gave cannot be worked with; the text is a sentence that says why."""


@contextmanager
def reading_input() -> Iterator[None]:
    """Turn the errors of opening and reading what the user gave into :class:`BadInputError`."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise BadInputError(str(error)) from error


def check_report(path: Path | None) -> None:
    """Refuse a report nobody could write, before what it is about takes its time.

    :raises BadInputError: if its folder is not there.
    """
    if path is not None and not path.absolute().parent.is_dir():
        raise BadInputError(f"there is no folder for the report {path}")


def check_folder(path: Path | None, what: str) -> None:
    """Make the folder for ``what``, or refuse it before the work takes its time.

    :raises BadInputError: if it cannot be made, or nothing can be written there.
    """
    if path is None:
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"{path} cannot be the folder for {what}: {error.strerror}") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise BadInputError(f"{path} cannot be the folder for {what}: it cannot be written to")
