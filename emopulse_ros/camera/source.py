"""What every camera is to its reader: an iterator of frames with a name, a rate and a size."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, TypeVar

from emopulse_ros.stream import Frame
from emopulse_ros.synthesis.script import Script


class CameraError(OSError):
    """A camera that cannot be opened or has failed; its text is one sentence for a person."""


def end_of(duration: float | None) -> float:
    """When a stream of ``duration`` s ends, in ns; never, for None.

    :raises ValueError: if the duration makes no sense.
    """
    if duration is None:
        return float("inf")
    if not 0.0 < duration < float("inf"):
        raise ValueError(f"The duration is {duration} s; it must be more than 0.")
    return duration * 1e9


def check_rate(rate: float) -> None:
    """Refuse a number of frames per second that no recording has.

    :raises ValueError: if it makes no sense.
    """
    if not 0.1 <= rate <= 10_000.0:
        raise ValueError(f"The rate is {rate} frames per second; it must be 0.1 to 10000.")


Source = TypeVar("Source")


class Closing:
    """Is closed at the end of a ``with`` block."""

    def close(self) -> None:
        """Free what it holds."""
        raise NotImplementedError

    def __enter__(self: Source) -> Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Camera(Protocol):
    """A source of frames, as fast as its reader reads.

    Stamps are ns in the camera's own clock, which begins at 0; ``sequence`` counts from 0. A
    frame's image is read-only and stays as it is for as long as anyone holds it. The iterator
    goes on where it stopped when it is asked for again, and ends for good after :meth:`close`,
    which may be called from another thread and more than once.

    Reading raises :class:`CameraError` when the source fails midway.
    """

    name: str
    """What it was opened as: ``synthetic:7``, ``video:smile.mp4``."""
    rate: float
    """Nominal frames per second."""
    size: tuple[int, int]
    """Width and height of a frame in pixels."""
    script: Script | None
    """What is true of the frames, where that is known; its time 0 is stamp 0."""

    def __iter__(self) -> Iterator[Frame]: ...

    def __next__(self) -> Frame: ...

    def close(self) -> None:
        """Free what the camera holds; safe to call twice."""
        ...

    def __enter__(self) -> Camera: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
