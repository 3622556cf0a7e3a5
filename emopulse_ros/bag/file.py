"""A recording of ``ros2 bag record``: MCAP or SQLite, compressed or not, in one file or many."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from emopulse_ros.bag.errors import BagError, without_rosbags

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

STORAGES = (".mcap", ".db3")


class Topic(NamedTuple):
    """A topic of a bag: its name, type (``sensor_msgs/msg/Image``) and number of messages, which
    is None where the bag does not say it."""

    name: str
    type: str
    messages: int | None


class Received(NamedTuple):
    """A message and when it was recorded, in ns."""

    topic: str
    time: int
    message: Any


class BagFile:
    """The messages of one bag; a context manager.

    ``path`` is the bag's folder, or one of its files. Message types are those defined in the bag;
    for the others those of ROS 2 Jazzy. A file that was cut off gives what comes before the cut, a
    message that is damaged is left out; ``notes`` say so.

    :raises BagError: if there is no bag, or nothing in it can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._notes: list[str] = []
        self._files = _files(path)
        self._stack = ExitStack()
        self._damaged, self._first_damage = 0, ""
        try:
            self._typestore, read, self.topics = self._open()
        except BaseException:
            self._stack.close()
            raise
        self._read: Callable[[Collection[str]], Iterator[tuple[str, str, int, bytes]]] = read

    def of_type(self, *types: str) -> list[Topic]:
        """The topics that carry one of these types."""
        return [topic for topic in self.topics if topic.type in types]

    def messages(self, *topics: str) -> Iterator[Received]:
        """The messages on these topics, in the order in which they were recorded."""
        for topic, kind, time, data in self._read(topics):
            try:
                message = self._typestore.deserialize_cdr(data, kind)
            except Exception as error:
                # The library fails in many ways on bytes that are no message.
                self._damaged += 1
                self._first_damage = self._first_damage or f"{topic}: {error}"
                continue
            yield Received(topic, time, message)

    @property
    def notes(self) -> list[str]:
        """What could not be read so far, in sentences."""
        if not self._damaged:
            return list(self._notes)
        return [
            *self._notes,
            f"{self._damaged} of the messages of {self.path} are damaged and were left out, "
            f"the first on {self._first_damage}",
        ]

    def close(self) -> None:
        """Let go of the files."""
        self._stack.close()

    def __enter__(self) -> BagFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> tuple[Typestore, Any, tuple[Topic, ...]]:
        try:
            from emopulse_ros.bag import storage
        except ImportError as error:
            raise without_rosbags(error) from error
        opened = storage.open_storage(self.path, self._files, self._stack, self._notes)
        return opened.typestore, opened.read, opened.topics


def _files(path: Path) -> list[Path]:
    """The storage files of a bag, in the order of their numbers.

    :raises BagError: if there are none.
    """
    if not path.exists():
        raise BagError(f"there is no bag at {path}")
    if path.is_file():
        return [path]
    files = [file for file in path.iterdir() if set(file.suffixes) & set(STORAGES)]
    if not files:
        raise BagError(f"{path} is no bag: there is no {' or '.join(STORAGES)} file in it")
    return sorted(files, key=lambda file: [int(n) for n in re.findall(r"\d+", file.name)])
