"""Labels on a topic of a bag."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray

from emopulse_ros.bag.file import Received
from emopulse_ros.bag.messages import from_time
from emopulse_ros.evaluation.labels.timed import LabelError, Timed, TimedLabels
from emopulse_ros.evaluation.truth import Kind, Truth


class RecordedLabels:
    """Labels heard while a bag is read; called at its end, with the stamps of its frames.

    ``topic`` is the one that counts; without it there must not be several.
    """

    def __init__(self, path: Path, topic: str | None = None) -> None:
        self._path = path
        self._topic = topic
        self._labels: dict[str, list[Timed]] = {}
        self._coded = set[int]()

    def hear(self, received: Received) -> None:
        """Take a message.

        :raises LabelError: if it makes no sense.
        """
        topic, _, message = received
        if message.kind not in get_args(Kind):
            raise LabelError(f"a label in {self._path} is of the kind '{message.kind}'")
        onset, apex, offset = map(from_time, (message.onset, message.apex, message.offset))
        aus = tuple(bytes(message.aus))
        timed = Timed(onset, apex, offset, aus, cast("Kind", message.kind))
        self._labels.setdefault(topic, []).append(timed)
        self._coded.update(bytes(message.coded))

    def __call__(self, stamps: NDArray[np.int64]) -> Truth | None:
        """The truth of a recording whose frames have these stamps; None if nothing was labelled.

        :raises LabelError: if there are labels on several topics and none was chosen.
        """
        if self._topic is None and len(self._labels) > 1:
            topics = ", ".join(sorted(self._labels))
            raise LabelError(f"{self._path} has labels on {topics}: choose one by --truth")
        topic = self._topic or next(iter(self._labels), None)
        if topic is None:
            return None
        labels = tuple(self._labels.get(topic, ()))
        codes = tuple(sorted(self._coded)) or None
        return TimedLabels(f"{self._path}, {topic}", "ns", labels, codes)(stamps)
