"""What every synthetic scene can do: show itself at a moment, and say what is true then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.stream import Frame
from emopulse_ros.synthesis.script import SECOND, Script


class Scene(Protocol):
    """A face moved by a script, in front of a camera."""

    script: Script

    def render(self, time: int) -> NDArray[np.uint8]:
        """Return the picture ``time`` ns after the script began: ``(H, W) uint8``.

        The same scene gives the same bytes for the same time, in any order of calls.
        """
        ...

    def light(self, time: int) -> NDArray[np.float32]:
        """Return the light that falls on the sensor: ``(H, W) float32``, in gray levels."""
        ...

    def expose(self, light: NDArray[np.float32], time: int) -> NDArray[np.uint8]:
        """Return the picture of some light, no larger than the scene's own, at this moment.

        ``render(time)`` is ``expose(light(time), time)`` to a rounding.
        """
        ...

    def flow(self, start: int, end: int) -> NDArray[np.float32]:
        """Return how far what is seen at ``start`` has moved by ``end``, in pixels.

        ``(H, W, 2) float32``, x and y, exact whatever hides it meanwhile; NaN where nothing that
        moves by the script is seen.
        """
        ...

    def eyes(self, time: int) -> NDArray[np.float32]:
        """Return where the middles of both eyes are: ``(2, 2) float32``, x and y in pixels."""
        ...


def filmed(scene: Scene, duration: int, rate: int = 200) -> Iterator[Frame]:
    """The frames a camera of ``rate`` frames a second takes of a scene in ``duration`` ns."""
    for sequence, time in enumerate(times_of(duration, rate)):
        yield Frame(time, sequence, scene.render(time))


def times_of(duration: int, rate: int) -> list[int]:
    """When a camera of ``rate`` frames a second takes one, within ``duration`` ns."""
    return [sequence * SECOND // rate for sequence in range(duration * rate // SECOND)]
