"""Bags of every kind, made for tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

STORE = get_typestore(Stores.ROS2_JAZZY)
IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
STEP = 5_000_000
PLUGINS = {"mcap": StoragePlugin.MCAP, "sqlite": StoragePlugin.SQLITE3}
COMPRESSIONS = {
    "plain": CompressionMode.NONE,
    "file": CompressionMode.FILE,
    "message": CompressionMode.MESSAGE,
    "storage": CompressionMode.STORAGE,
}


def new(kind: str, /, **fields: Any) -> Any:
    return STORE.types[kind](**fields)


def header(stamp: int) -> Any:
    time = new("builtin_interfaces/msg/Time", sec=stamp // 10**9, nanosec=stamp % 10**9)
    return new("std_msgs/msg/Header", stamp=time, frame_id="eye")


def image(stamp: int, picture: np.ndarray[Any, Any], encoding: str = "mono8") -> Any:
    height, width = picture.shape[:2]
    data = np.ascontiguousarray(picture).view(np.uint8).ravel()
    return new(
        IMAGE, header=header(stamp), height=height, width=width, encoding=encoding,
        is_bigendian=0, step=data.size // height, data=data,
    )  # fmt: skip


def compressed(stamp: int, picture: np.ndarray[Any, Any]) -> Any:
    data = cv2.imencode(".png", picture)[1].ravel()
    return new(COMPRESSED, header=header(stamp), format="png", data=data)


def picture(number: int) -> np.ndarray[Any, Any]:
    return np.full((12, 16), number % 256, np.uint8)


def write_bag(
    path: Path,
    topics: dict[str, Iterable[tuple[int, Any]]],
    storage: str = "mcap",
    compression: str = "plain",
) -> Path:
    """A bag of messages, each with the time it was recorded; the type is that of the message."""
    writer = Writer(path, version=8, storage_plugin=PLUGINS[storage])
    writer.set_compression(COMPRESSIONS[compression], CompressionFormat.ZSTD)
    with writer:
        for name, messages in topics.items():
            connection = None
            for time, message in messages:
                kind = message.__msgtype__
                if connection is None:
                    connection = writer.add_connection(name, kind, typestore=STORE)
                writer.write(connection, time, STORE.serialize_cdr(message, kind))
    return path


def images(numbers: Sequence[int]) -> list[tuple[int, Any]]:
    """Pictures of these numbers, 5 ms apart by them."""
    return [(n * STEP + 1000, image(n * STEP, picture(n))) for n in numbers]
