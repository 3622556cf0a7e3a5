"""What every synthetic scene can do: show itself at a moment, and say what is true then."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.synthesis.script import Script


class Scene(Protocol):
    """A face moved by a script, in front of a camera."""

    script: Script

    def render(self, time: int) -> NDArray[np.uint8]:
        """Return the picture ``time`` ns after the script began: ``(H, W) uint8``.

        The same scene gives the same bytes for the same time, in any order of calls.
        """
        ...

    def eyes(self, time: int) -> NDArray[np.float32]:
        """Return where the middles of both eyes are: ``(2, 2) float32``, x and y in pixels."""
        ...
