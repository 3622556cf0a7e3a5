"""A camera in front of a synthetic face, which a process of its own draws."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

from emopulse_ros.camera.render_process import RenderProcess
from emopulse_ros.camera.renderer import RenderOrder
from emopulse_ros.camera.source import CameraError, Closing, end_of
from emopulse_ros.stream import Frame, read_only
from emopulse_ros.synthesis.script import Script

SLOTS = 64
"""Pictures the renderer may be ahead: 320 ms at 200 frames per second, 20 MB at 640x480."""

PANEL = (320, 360)
"""Width and height in pixels that each of several faces has to itself."""

MOST_FACES = 8


class SyntheticCamera(Closing):
    """The portrait, moved by a script that is written from ``seed``; :class:`Camera`.

    Frame k has stamp ``k / rate``, exactly 5 ms apart at 200 frames per second, and the same
    bytes for the same seed. ``duration`` in s; None never ends: the script is then an hour long
    and its movements come again. Micro-expressions last 40 to 200 ms. ``size`` is (width, height).
    With several ``faces`` that many looks of the portrait stand side by side, each with a script
    of its own; there is no one ``script`` then.

    The pictures are drawn ahead, in another process; each is copied once out of the memory they
    share, so that whoever keeps a frame keeps it for good. The copy takes 0.03 ms at 640x480, and
    :class:`Paced` has it done before the frame is due.

    :raises ValueError: if the seed, the duration or the rate makes no sense.
    """

    def __init__(
        self,
        seed: int = 0,
        duration: float | None = None,
        rate: float = 200.0,
        size: tuple[int, int] | None = None,
        faces: int = 1,
    ) -> None:
        if seed < 0:
            raise ValueError(f"The seed is {seed}; it must be 0 or more.")
        if not 1 <= faces <= MOST_FACES:
            raise ValueError(f"There are {faces} faces; there must be 1 to {MOST_FACES}.")
        end_of(duration)
        if not 1.0 <= rate <= 10_000.0:
            raise ValueError(f"The rate is {rate} frames per second; it must be 1 to 10000.")
        self.name = f"synthetic:{seed}" + (f"x{faces}" if faces > 1 else "")
        self.rate = float(rate)
        self.size = size or ((640, 480) if faces == 1 else (faces * PANEL[0], PANEL[1]))
        self._order = RenderOrder(seed, duration, self.rate, self.size, SLOTS, faces)
        self.script: Script | None = self._order.script() if faces == 1 else None
        self._index = 0
        self._renderer = RenderProcess(self._order)
        # Also when a reader drops the camera without closing it, and when it exits.
        weakref.finalize(self, self._renderer.stop)

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        index = self._index
        if self._order.ends_before(index):
            raise StopIteration
        picture = self._renderer.take()
        if picture is None:
            if self._renderer.stopped:
                raise StopIteration
            why = self._renderer.failure()
            raise CameraError(f"The renderer of {self.name} stopped at frame {index} ({why}).")
        self._index += 1
        return Frame(self._order.stamp(index), index, read_only(picture))

    def renderer_cpu_seconds(self) -> float:
        """Processor time in s that the renderer has used so far, apart from this process."""
        return self._renderer.cpu_seconds()

    def close(self) -> None:
        """Stop the renderer; safe to call twice and from another thread."""
        self._renderer.stop()
