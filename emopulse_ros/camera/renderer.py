"""The program behind the synthetic camera: draws the portrait ahead of the reader.

It runs in a process of its own, see :mod:`emopulse_ros.camera.render_process`. A byte on its
standard output says that the next picture lies in the ring, a byte on its standard input that the
reader has taken one; the end of the input means that the reader is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import time
from dataclasses import asdict, dataclass

import cv2

from emopulse_ros.camera.ring import PictureRing
from emopulse_ros.synthesis.habits import write_script
from emopulse_ros.synthesis.portrait import PortraitScene
from emopulse_ros.synthesis.row import Row, row_of_portraits
from emopulse_ros.synthesis.script import Script

HOUR_S = 3600.0
SECOND_NS = 1e9


@dataclass(frozen=True)
class RenderOrder:
    """What to draw, and where to: ``duration`` in s (None: without end), ``rate`` in 1/s.

    ``slots`` and ``size`` (width, height) are the shape of the ring of pictures.
    """

    seed: int
    duration: float | None
    rate: float
    size: tuple[int, int]
    slots: int
    faces: int = 1

    def scene(self) -> PortraitScene | Row:
        """What is drawn: one face, or ``faces`` side by side."""
        script = self.script()
        if self.faces == 1:
            return PortraitScene(script, self.seed, self.size)
        return row_of_portraits(
            self.seed, self.faces, script.duration, self.size, repeats=script.repeats
        )

    def script(self) -> Script:
        """The ground truth of a picture of one face; without end it is an hour that comes again."""
        seconds = HOUR_S if self.duration is None else self.duration
        return write_script(self.seed, round(seconds * SECOND_NS), repeats=self.duration is None)

    def stamp(self, index: int) -> int:
        """When frame ``index`` is taken, ns since the script began."""
        return round(index * SECOND_NS / self.rate)

    def ends_before(self, index: int) -> bool:
        """Whether frame ``index`` lies past the end."""
        return self.duration is not None and self.stamp(index) >= self.duration * SECOND_NS

    def to_json(self) -> str:
        """The order as one line of text, for a command line."""
        return json.dumps(asdict(self))


def draw(order: RenderOrder, descriptor: int) -> None:
    """Draw the frames of an order until they end or the reader is gone.

    ``descriptor`` is that of the ring's memory.
    """
    ring = PictureRing(descriptor, order.slots, order.size)
    scene = order.scene()
    reader = os.getppid()
    free = order.slots
    index = 0
    while not order.ends_before(index):
        while free == 0:
            ready, _, _ = select.select([0], [], [], 1.0)
            taken = len(os.read(0, 4096)) if ready else 0
            # A process that the reader forked may hold the pipe's other end open after it.
            if (ready and not taken) or os.getppid() != reader:
                return
            free += taken
        ring.slot(index)[...] = scene.render(order.stamp(index))
        ring.cpu_seconds = time.process_time()
        os.write(1, b".")
        free -= 1
        index += 1


def main(order: str, descriptor: str) -> None:
    """Carry out an order written by :meth:`RenderOrder.to_json`."""
    cv2.setNumThreads(1)
    fields = json.loads(order)
    with contextlib.suppress(BrokenPipeError):
        draw(RenderOrder(**{**fields, "size": tuple(fields["size"])}), int(descriptor))
