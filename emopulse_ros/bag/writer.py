"""Writes a bag of images, activations, events and truth that ROS and Foxglove read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from emopulse_ros.bag.errors import BagError, without_rosbags
from emopulse_ros.bag.messages import ACTIVATION, EVENT, IMAGE, LABEL, SECOND
from emopulse_ros.stream import Activation, Frame, MicroExpression

TOPICS = {
    "image": ("camera/image_raw", IMAGE),
    "activation": ("au_activation", ACTIVATION),
    "event": ("micro_expression", EVENT),
    "truth": ("truth", LABEL),
}
"""Name, below the namespace, and type of each topic; the names are those of the nodes."""


class BagWriter:
    """A new bag in MCAP; a context manager.

    Topics appear with their first message. What is written at ``time`` ns counts as recorded then;
    the stamps in the headers are those of the stream.

    :raises BagError: if there is something at ``path`` already, it cannot be written to, or what
        is needed to write is not installed.
    """

    def __init__(self, path: Path, namespace: str = "/emopulse") -> None:
        try:
            from rosbags.rosbag2 import StoragePlugin, Writer, WriterError

            from emopulse_ros.bag.definitions import own_typestore
        except ImportError as error:
            raise without_rosbags(error) from error
        self._store = own_typestore()
        self._namespace = namespace.rstrip("/")
        self._connections: dict[str, Any] = {}
        try:
            # Version 8 is what Humble reads as well.
            self._writer = Writer(path, version=8, storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except WriterError as error:
            raise BagError(f"{path} is there already: give a name that is free") from error
        except OSError as error:
            raise BagError(f"{path} cannot be written: {error.strerror}") from error

    def image(self, frame: Frame, time: int) -> None:
        """Write a frame as ``mono8``."""
        height, width = frame.image.shape
        message = self._new(
            IMAGE,
            header=self._header(frame.stamp, frame.frame_id),
            height=height,
            width=width,
            encoding="mono8",
            is_bigendian=0,
            step=width,
            data=np.ascontiguousarray(frame.image).ravel(),
        )
        self._write("image", message, time)

    def activation(self, activation: Activation, time: int, latency_ms: float = 0.0) -> None:
        """Write an activation."""
        message = self._new(
            ACTIVATION,
            header=self._header(activation.stamp, activation.frame_id),
            sequence=activation.sequence,
            face_id=activation.face_id,
            codes=np.array(activation.codes, np.uint8),
            probability=np.ascontiguousarray(activation.probability, np.float32),
            intensity=np.ascontiguousarray(activation.intensity, np.float32),
            attention=activation.attention,
            latency_ms=latency_ms,
            model=activation.model,
            model_hash=activation.model_hash,
        )
        self._write("activation", message, time)

    def event(self, event: MicroExpression, time: int) -> None:
        """Write a micro-expression that was found."""
        message = self._new(
            EVENT,
            header=self._header(event.stamp, event.frame_id),
            sequence=event.sequence,
            face_id=event.face_id,
            onset=self._time(event.onset),
            apex=self._time(event.apex),
            offset=self._time(event.offset),
            duration_ms=event.duration_ms,
            aus=np.array(event.aus, np.uint8),
            peak_probability=np.ascontiguousarray(event.peak_probability, np.float32),
            confidence=event.confidence,
        )
        self._write("event", message, time)

    def label(
        self, kind: str, aus: tuple[int, ...], onset: int, apex: int, offset: int, time: int
    ) -> None:
        """Write what was true from ``onset`` to ``offset``, stamps in ns."""
        message = self._new(
            LABEL,
            header=self._header(onset, ""),
            kind=kind,
            onset=self._time(onset),
            apex=self._time(apex),
            offset=self._time(offset),
            aus=np.array(aus, np.uint8),
            coded=np.zeros(0, np.uint8),
        )
        self._write("truth", message, time)

    def close(self) -> None:
        """Finish the bag; without this it is cut off."""
        self._writer.close()

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, name: str, message: Any, time: int) -> None:
        topic, kind = TOPICS[name]
        connection = self._connections.get(name)
        if connection is None:
            connection = self._connections[name] = self._writer.add_connection(
                f"{self._namespace}/{topic}", kind, typestore=self._store
            )
        self._writer.write(connection, time, self._store.serialize_cdr(message, kind))

    def _new(self, type_name: str, /, **fields: Any) -> Any:
        return self._store.types[type_name](**fields)

    def _time(self, stamp: int) -> Any:
        seconds, nanoseconds = divmod(stamp, SECOND)
        return self._new("builtin_interfaces/msg/Time", sec=seconds, nanosec=nanoseconds)

    def _header(self, stamp: int, frame_id: str) -> Any:
        return self._new("std_msgs/msg/Header", stamp=self._time(stamp), frame_id=frame_id)
