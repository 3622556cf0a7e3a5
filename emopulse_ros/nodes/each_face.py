"""A stage for each face, where several are in view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Stage = TypeVar("Stage")

GONE_NS = 200_000_000
"""After this long without its face a stage is free for another one; it starts clean with it."""


class EachFace(Generic[Stage]):
    """Stages of one kind by ``face_id``, made when a face comes, kept for the next when it goes."""

    def __init__(self, make: Callable[[], Stage]) -> None:
        self._make = make
        self._serving: dict[int, tuple[Stage, int]] = {}
        # The first face is there soon, and has no time to wait.
        self._free = [make()]

    def __call__(self, face_id: int, stamp: int) -> Stage:
        """The stage of a face that is seen at ``stamp`` (ns)."""
        stage, _ = self._serving.get(face_id) or (
            self._free.pop() if self._free else self._make(),
            0,
        )
        self._serving[face_id] = stage, stamp
        return stage

    def retire(self, stamp: int | None = None) -> list[Stage]:
        """Free the stages of faces that are gone at ``stamp``, or all of them; return those."""
        gone = [
            face_id
            for face_id, (_, seen) in self._serving.items()
            if stamp is None or abs(stamp - seen) > GONE_NS
        ]
        freed = [self._serving.pop(face_id)[0] for face_id in gone]
        self._free += freed
        return freed
