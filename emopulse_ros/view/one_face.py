"""Of several faces the one that is shown."""

from __future__ import annotations

GONE_NS = 300_000_000
"""Stream time without the face that is shown, after which another one takes its place."""


class OneFace:
    """Stays with the face that came first, until it has gone."""

    def __init__(self) -> None:
        self._face_id: int | None = None
        self._seen = 0

    def __call__(self, face_id: int, stamp: int) -> bool:
        """Whether what is said of a face at ``stamp`` (ns) is of the one that is shown."""
        if self._face_id is None or abs(stamp - self._seen) > GONE_NS:
            self._face_id = face_id
        if face_id != self._face_id:
            return False
        self._seen = stamp
        return True
