"""The files of a bag, by rosbags; what was cut off in the middle, by mcap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mcap.records import Channel, Message, Schema
from mcap.stream_reader import StreamReader
from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat
from rosbags.rosbag2 import Reader, ReaderError
from rosbags.typesys.store import Typestore

from emopulse_ros.bag.definitions import typestore_of
from emopulse_ros.bag.errors import BagError
from emopulse_ros.bag.file import Topic

Raw = tuple[str, str, int, bytes]
"""Topic, type, time of recording in ns, and the message as it was serialised."""


class Source(Protocol):
    """Something messages are read from."""

    topics: list[Topic]
    definitions: dict[str, MessageDefinition]

    def messages(self, topics: Collection[str]) -> Iterator[Raw]:
        """The messages on these topics, in the order in which they were recorded."""
        ...


@dataclass(frozen=True, slots=True)
class Storage:
    """An open bag."""

    topics: tuple[Topic, ...]
    typestore: Typestore
    read: Callable[[Collection[str]], Iterator[Raw]]


def open_storage(path: Path, files: Sequence[Path], stack: ExitStack, notes: list[str]) -> Storage:
    """Open a bag, as a whole if that can be done, else file by file.

    :raises BagError: if nothing in it can be read.
    """
    sources: list[Source] = []
    try:
        sources.append(_Whole(path, stack))
    except Exception as error:
        # The library raises whatever it stumbles over in a broken file.
        if path.is_dir():
            notes.append(f"{path} cannot be read as one bag, so each file was: {_told(error)}")
        for file in files:
            _open_file(file, sources, stack, notes)
    if not sources:
        raise BagError(f"nothing in {path} can be read: {'; '.join(notes)}")

    def read(topics: Collection[str]) -> Iterator[Raw]:
        for source in sources:
            yield from _as_far_as_it_goes(source.messages(topics), path, notes)

    definitions = {name: one for source in sources for name, one in source.definitions.items()}
    return Storage(_together(sources), typestore_of(definitions), read)


def _open_file(file: Path, sources: list[Source], stack: ExitStack, notes: list[str]) -> None:
    try:
        sources.append(_Whole(file, stack))
        return
    except Exception as error:
        why = _told(error)
    if file.suffix == ".mcap":
        cut = _CutOff(file)
        count = sum(topic.messages or 0 for topic in cut.topics)
        notes.append(f"{file} is cut off or damaged: {count} messages could be read ({why})")
        if cut.topics:
            sources.append(cut)
        return
    notes.append(f"{file} cannot be read: {why}")


def _as_far_as_it_goes(messages: Iterator[Raw], path: Path, notes: list[str]) -> Iterator[Raw]:
    try:
        yield from messages
    except Exception as error:
        notes.append(f"{path} could be read up to a point only: {_told(error)}")


def _together(sources: Sequence[Source]) -> tuple[Topic, ...]:
    counts: dict[tuple[str, str], int | None] = {}
    for source in sources:
        for name, kind, count in source.topics:
            before = counts.get((name, kind), 0)
            counts[name, kind] = None if count is None or before is None else before + count
    return tuple(Topic(name, kind, count) for (name, kind), count in sorted(counts.items()))


class _Whole:
    """A bag or one file of it that is as it should be."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self._reader = stack.enter_context(Reader(path))
        connections = self._reader.connections
        self.topics = [Topic(one.topic, one.msgtype, one.msgcount) for one in connections]
        self.definitions = {
            one.msgtype: one.msgdef
            for one in connections
            if one.msgdef.format != MessageDefinitionFormat.NONE
        }

    def messages(self, topics: Collection[str]) -> Iterator[Raw]:
        wanted = [one for one in self._reader.connections if one.topic in topics]
        if wanted:
            for connection, time, data in self._reader.messages(wanted):
                yield connection.topic, connection.msgtype, time, data


class _CutOff:
    """An MCAP file without its end: chunk by chunk, as far as it goes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Channel] = {}
        counts = Counter(message.channel_id for message in self._records())
        kinds = {number: self._schemas[one.schema_id] for number, one in self._channels.items()}
        self.topics = [
            Topic(self._channels[number].topic, kinds[number].name, count)
            for number, count in counts.items()
        ]
        self.definitions = {
            schema.name: MessageDefinition(MessageDefinitionFormat.MSG, schema.data.decode())
            for schema in self._schemas.values()
            if schema.encoding == "ros2msg"
        }

    def messages(self, topics: Collection[str]) -> Iterator[Raw]:
        for message in self._records():
            channel = self._channels[message.channel_id]
            if channel.topic in topics:
                kind = self._schemas[channel.schema_id].name
                yield channel.topic, kind, message.log_time, message.data

    def _records(self) -> Iterator[Message]:
        with closing(self._path.open("rb")) as file:
            try:
                for record in StreamReader(file).records:
                    if isinstance(record, Schema):
                        self._schemas[record.id] = record
                    elif isinstance(record, Channel):
                        self._channels[record.id] = record
                    elif isinstance(record, Message):
                        yield record
            except Exception:
                # Where it is cut off, which the library stumbles over in many ways; it is told.
                return


def _told(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if isinstance(error, ReaderError) else f"{type(error).__name__}: {text}"
