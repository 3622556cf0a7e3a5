"""Scenes whose every number is known, and a client of Foxglove's websocket."""

from __future__ import annotations

import base64
import json
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from emopulse_ros.facs import CODES
from emopulse_ros.stream import Activation, FlowStep, Frame, MicroExpression, read_only
from emopulse_ros.view.pairing import Scene

MS = 1_000_000
PERIOD = 5 * MS
ORIGIN = 1_700_000_000_000_000_000
LEVELS = dict.fromkeys(CODES, 0.5)


def frame(sequence: int) -> Frame:
    """A picture of 320 by 240 whose brightness is its number."""
    picture = np.full((240, 320), sequence % 200, np.uint8)
    return Frame(ORIGIN + sequence * PERIOD, sequence, read_only(picture))


def step(sequence: int, across: float = 0.5) -> FlowStep:
    """Skin that moved to the right since the neutral face, everywhere alike."""
    data = np.zeros((3, 64, 64), np.float32)
    data[0] = across
    place = np.array([[2.0, 0.0, 100.0], [0.0, 2.0, 50.0]])
    return FlowStep(
        ORIGIN + sequence * PERIOD, sequence, 1, read_only(data),
        ("u_neutral", "v_neutral", "strain_neutral"), read_only(place),
    )  # fmt: skip


def activation(sequence: int, smile: float = 0.9) -> Activation:
    """AU12 with a probability, the rest below it; a number of its own for each frame."""
    probability = np.linspace(0.01, 0.3, len(CODES), dtype=np.float32)
    probability[CODES.index(12)] = smile
    probability[0] = (sequence % 97) / 300
    return Activation(
        ORIGIN + sequence * PERIOD, sequence, 1, CODES, read_only(probability),
        read_only(probability / 3), 1.25, "tiny", "0" * 64,
    )  # fmt: skip


def scene(sequence: int) -> Scene:
    """All three of one frame."""
    return Scene(frame(sequence), step(sequence), activation(sequence))


def event() -> MicroExpression:
    """A smile of 85 ms."""
    peak = read_only(np.float32([0.9, 0.8]))
    onset = ORIGIN + 100 * MS
    return MicroExpression(
        ORIGIN + 200 * MS, 40, 1, onset, onset + 40 * MS, onset + 85 * MS, (6, 12), peak, 0.91
    )


class Client:
    """What the Foxglove app is to a server: it is told of topics and subscribes to some."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self.topics: dict[str, dict[str, Any]] = {}
        self._names: dict[int, str] = {}
        while len(self.topics) < 5:
            told = json.loads(socket.recv(timeout=10.0))
            for channel in told.get("channels", ()):
                self.topics[channel["topic"]] = channel

    def subscribe(self, *topics: str) -> None:
        """Ask for topics, each under a number of our own."""
        asked = []
        for topic in topics:
            number = 100 + len(self._names)
            self._names[number] = topic
            asked.append({"id": number, "channelId": self.topics[topic]["id"]})
        self._socket.send(json.dumps({"op": "subscribe", "subscriptions": asked}))

    def heard(self, seconds: float) -> Iterator[tuple[str, int, bytes]]:
        """Topic, log time and payload of what comes within some seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                data = self._socket.recv(timeout=left)
            except TimeoutError:
                return
            if isinstance(data, bytes) and data[0] == 1:
                number, stamp = struct.unpack_from("<IQ", data, 1)
                yield self._names[number], stamp, data[13:]

    def one(self, topic: str, seconds: float = 10.0) -> tuple[int, bytes]:
        """The next message on a topic."""
        for name, stamp, data in self.heard(seconds):
            if name == topic:
                return stamp, data
        raise AssertionError(f"nothing came on {topic}")


@contextmanager
def client(port: int) -> Iterator[Client]:
    """Connect as Foxglove does."""
    from websockets.sync.client import connect

    url = f"ws://127.0.0.1:{port}"
    with connect(url, subprotocols=["foxglove.sdk.v1"], max_size=None) as socket:  # type: ignore[list-item]
        assert socket.subprotocol == "foxglove.sdk.v1"
        yield Client(socket)


def decoder(channel: dict[str, Any]) -> Any:
    """What reads a channel's protobuf by the schema that the server sent along."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    files = descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(channel["schema"]))
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    kind = pool.FindMessageTypeByName(channel["schemaName"])
    return message_factory.GetMessageClass(kind).FromString
