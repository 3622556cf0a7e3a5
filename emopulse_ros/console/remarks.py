"""What a camera says of itself, told while it is read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from emopulse_ros.camera.live import Live
from emopulse_ros.camera.source import Closing

LOOK_S = 0.5
"""How often a device is asked: also while it gives no picture, for it may say why."""


class _Source(Protocol):
    """Any camera."""

    name: str


class Remarks(Closing):
    """Tells each remark of a device in a thread of its own, until it is closed.

    Cameras that are none have no will of their own, and nothing to say. ``tell`` takes a sentence.
    """

    def __init__(self, camera: _Source, tell: Callable[[str], None]) -> None:
        self._camera = camera if isinstance(camera, Live) else None
        self._tell = tell
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="remarks", daemon=True)
        if self._camera is not None:
            self._thread.start()

    def close(self) -> None:
        """Tell what there is still to be told, and end."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _look(self) -> None:
        camera = self._camera
        assert camera is not None
        is_over = False
        while not is_over:
            is_over = self._over.wait(LOOK_S)
            for remark in camera.remarks():
                self._tell(remark)
