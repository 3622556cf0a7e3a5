"""Several scenes side by side, as one camera sees several people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.stream import read_only
from emopulse_ros.synthesis.habits import write_script
from emopulse_ros.synthesis.portrait import PortraitScene
from emopulse_ros.synthesis.scene import Scene

BETWEEN_SEEDS = 1000
"""Between the seeds of neighbours, so that the rows of near seeds share no face."""


class Row:
    """Scenes of one height, the first one on the left; each has a script of its own."""

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self.scenes = scenes

    def render(self, time: int) -> NDArray[np.uint8]:
        """The picture ``time`` ns after the scripts began: ``(H, sum of W) uint8``, read-only."""
        return read_only(np.hstack([scene.render(time) for scene in self.scenes]))


def row_of_portraits(
    seed: int, faces: int, duration: int, size: tuple[int, int], *, repeats: bool = False
) -> Row:
    """``faces`` looks of the portrait, each in its part of ``size`` (width, height).

    Their scripts last ``duration`` ns, and come again if they ``repeat``.
    """
    width, height = size
    edges = [width * number // faces for number in range(faces + 1)]
    scenes = []
    for number in range(faces):
        own = seed + BETWEEN_SEEDS * number
        script = write_script(own, duration, repeats=repeats)
        panel = (edges[number + 1] - edges[number], height)
        scenes.append(PortraitScene.varied(own, script, panel))
    return Row(scenes)
