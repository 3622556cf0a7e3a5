"""The one error that ends a command with exit status 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class BadInputError(Exception):
    """What the user gave cannot be worked with; the text is a sentence that says why."""


@contextmanager
def reading_input() -> Iterator[None]:
    """Turn the errors of opening and reading what the user gave into :class:`BadInputError`."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise BadInputError(str(error)) from error
