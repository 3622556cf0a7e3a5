"""The faces of another detector on the robot, as it tells of them by REP-155."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from emopulse_ros.nodes.boxes import Box, nearest, overlap

SILENT_S = 2.0
"""A face that the detector has not told of for so long is not there: the detector may have died."""


@dataclass(slots=True)
class _Other:
    """A face of the detector: when it was told of last, and where; our subscription to that."""

    heard: float
    subscription: Any
    box: Box | None = None

    @property
    def is_there(self) -> bool:
        return time.monotonic() - self.heard < SILENT_S


class OtherFaces:
    """Hears the detector's list, and the region of each face on it.

    ``folder`` is the topic below which they are. ``hri_msgs`` must be installed. All calls come
    from the thread that spins the node.
    """

    def __init__(self, node: Any, folder: str, depth: int) -> None:
        from hri_msgs.msg import IdsList, NormalizedRegionOfInterest2D

        self._node, self._folder, self._depth = node, folder, depth
        self._region_type = NormalizedRegionOfInterest2D
        self._others: dict[str, _Other] = {}
        self._list = node.create_subscription(IdsList, f"{folder}/tracked", self._hear_ids, depth)

    def at(self, box: Box, taken: Collection[str | None]) -> str | None:
        """The id of the face at this place that is not taken; None if there is none."""
        free = {
            name: other.box
            for name, other in self._others.items()
            if other.box and other.is_there and name not in taken
        }
        return nearest(box, free)

    def is_at(self, name: str, box: Box) -> bool:
        """Whether the face of this id is there, and still at this place."""
        other = self._others.get(name)
        if other is None or not other.is_there:
            return False
        return other.box is None or overlap(box, other.box) > 0.0

    def close(self) -> None:
        """Hear no more."""
        for name in list(self._others):
            self._forget(name)
        self._node.destroy_subscription(self._list)

    def _hear_ids(self, message: Any) -> None:
        for name in set(self._others) - set(message.ids):
            self._forget(name)
        now = time.monotonic()
        for name in message.ids:
            if name in self._others:
                self._others[name].heard = now
                continue
            subscription = self._node.create_subscription(
                self._region_type,
                f"{self._folder}/{name}/roi",
                lambda region, name=name: self._hear_region(name, region),
                self._depth,
            )
            self._others[name] = _Other(now, subscription)

    def _hear_region(self, name: str, region: Any) -> None:
        other = self._others.get(name)
        if other is not None:
            other.heard = time.monotonic()
            other.box = (region.xmin, region.ymin, region.xmax, region.ymax)

    def _forget(self, name: str) -> None:
        self._node.destroy_subscription(self._others.pop(name).subscription)
