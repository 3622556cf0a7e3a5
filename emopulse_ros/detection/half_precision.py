"""Whether a model holds weights in 16 bits, read out of the file itself.

An ONNX file is a protocol buffer. Only the runtime's libraries are at hand, none of which says of
what type the weights are, so the few fields on the way there are read here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

GRAPH, INITIALIZER, DATA_TYPE = 7, 5, 2
"""Numbers of the fields ModelProto.graph, GraphProto.initializer and TensorProto.data_type."""
HALF = frozenset({10, 16})
"""FLOAT16 and BFLOAT16 of TensorProto.DataType."""
FIXED = {1: 8, 5: 4}
"""Bytes of a field by its wire type, where that says how many."""

Value = int | memoryview


def holds_half(model: Path) -> bool:
    """Whether any weight is in 16 bits.

    :raises OSError: if the file cannot be read.
    :raises ValueError: if it is no ONNX file.
    """
    try:
        return any(
            data_type in HALF
            for graph in _messages(memoryview(model.read_bytes()), GRAPH)
            for tensor in _messages(graph, INITIALIZER)
            for number, data_type in _fields(tensor)
            if number == DATA_TYPE
        )
    except (IndexError, KeyError) as error:
        raise ValueError(f"{model} cannot be read as an ONNX model") from error


def _messages(message: memoryview, number: int) -> Iterator[memoryview]:
    """The parts of a message that are messages themselves, by the number of their field."""
    for found, value in _fields(message):
        if found == number and isinstance(value, memoryview):
            yield value


def _fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Number and value of each field; IndexError or KeyError where it is no message."""
    at = 0
    while at < len(message):
        tag, at = _number(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _number(message, at)
            yield tag >> 3, value
            continue
        if kind == 2:
            size, at = _number(message, at)
        else:
            size = FIXED[kind]
        if at + size > len(message):
            raise IndexError
        yield tag >> 3, message[at : at + size]
        at += size


def _number(message: memoryview, at: int) -> tuple[int, int]:
    """The number that begins at a place, seven bits a byte, and the place after it."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
