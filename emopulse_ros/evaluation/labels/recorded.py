"""Labels on a topic of a bag."""

from __future__ import annotations

from typing import cast, get_args

from emopulse_ros.bag.file import BagFile
from emopulse_ros.evaluation.labels.timed import LabelError, Timed, TimedLabels
from emopulse_ros.evaluation.truth import Kind

TYPE = "emopulse_msgs/msg/TruthLabel"


def read_recorded(bag: BagFile, topic: str | None = None) -> TimedLabels | None:
    """The labels of a bag; None if it has none and no topic was asked for.

    :raises LabelError: if the topic is not there, there are several, or a label makes no sense.
    """
    there = [one.name for one in bag.of_type(TYPE)]
    if topic is None and not there:
        return None
    if (topic is not None and topic not in there) or (topic is None and len(there) > 1):
        raise LabelError(
            f"{bag.path} has labels ({TYPE}) on {', '.join(there) or 'no topic'}"
            + ("" if topic is None else f", not on {topic}")
        )
    labels, coded = [], set[int]()
    for _, _, message in bag.messages(topic or there[0]):
        if message.kind not in get_args(Kind):
            raise LabelError(f"a label in {bag.path} is of the kind '{message.kind}'")
        onset, apex, offset = (
            int(time.sec) * 1_000_000_000 + int(time.nanosec)
            for time in (message.onset, message.apex, message.offset)
        )
        aus = tuple(int(code) for code in message.aus)
        labels.append(Timed(onset, apex, offset, aus, cast("Kind", message.kind)))
        coded.update(int(code) for code in message.coded)
    codes = tuple(sorted(coded)) or None
    return TimedLabels(f"{bag.path}, {topic or there[0]}", "ns", tuple(labels), codes)
