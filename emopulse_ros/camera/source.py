"""What every camera is to its reader: an iterator of frames with a name, a rate and a size."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, TypeVar

from emopulse_ros.stream import Frame
from emopulse_ros.synthesis.script import Script


class CameraError(OSError):
    """A camera that cannot be opened or has failed; its text is one sentence for a person."""


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
