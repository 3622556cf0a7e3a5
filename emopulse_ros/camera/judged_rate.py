"""Whether a device takes pictures at the rate it was asked for."""

from __future__ import annotations

from emopulse_ros.stream import Frame

JUDGED_AFTER_NS = 2_000_000_000
"""How long a device is watched before its rate is said to be another than was asked for."""

TOLERANCE = 0.03
"""Share by which a rate may be off without a word."""


class JudgedRate:
    """Measures a device's rate once, and says what it is if it is not the one ``asked`` for, in
    frames per second. None asks for none."""

    def __init__(self, name: str, asked: float | None) -> None:
        self._name = name
        self._asked = asked
        self._from: Frame | None = None

    def start_anew(self) -> None:
        """Forget the frames so far: what comes next is no sequel to them."""
        self._from = None

    def __call__(self, frame: Frame) -> str | None:
        """Take notice of the next frame; a sentence, if the rate is known with it and is wrong."""
        asked, since = self._asked, self._from
        if asked is None:
            return None
        if since is None:
            self._from = frame
            return None
        passed = frame.stamp - since.stamp
        if passed < JUDGED_AFTER_NS:
            return None
        self._asked = None
        rate = (frame.sequence - since.sequence) * 1e9 / passed
        if abs(rate / asked - 1.0) <= TOLERANCE:
            return None
        return (
            f"{self._name} takes {rate:.1f} frames a second, not {asked:g} as asked for: the "
            "stream goes by its stamps. Exposure time, size and pixel format limit what a camera "
            "can do."
        )
