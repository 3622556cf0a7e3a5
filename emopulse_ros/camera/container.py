"""How long a video file says it is, so that one that was cut off can be told.

Decoders end a truncated file as if it had ended there. Its outermost boxes still say what should
follow: ISO/IEC 14496-12 (MP4, MOV), RIFF (AVI), RFC 8794 and 9559 (Matroska, WebM).
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO


def missing_bytes(path: Path) -> int:
    """Return how many bytes the file lacks of what its container announces.

    0 if it is whole, or of a kind that announces no length.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            end = _end_of_boxes(file, size)
        elif start[:4] == b"RIFF":
            end = 8 + int.from_bytes(start[4:8], "little")
        elif start[:4] == b"\x1a\x45\xdf\xa3":
            end = _end_of_segment(file)
        else:
            end = 0
    return max(0, end - size)


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    position = 0
    while position < size:
        file.seek(position)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:
            # 0: the last box reaches to the end, wherever that is. Else: no box at all.
            return size
        position += length
    return position


def _end_of_segment(file: BinaryIO) -> int:
    """Where the Matroska segment after the EBML header ends; 0 if it does not say."""
    file.seek(4)
    header = _variable_integer(file)
    if header is None:
        return 0
    file.seek(header + 4, 1)
    segment = _variable_integer(file)
    return 0 if segment is None else file.tell() + segment


def _variable_integer(file: BinaryIO) -> int | None:
    """An EBML size: as many more bytes as the first has leading zeros; all ones: unknown."""
    first = file.read(1)
    if not first or first[0] == 0:
        return None
    more = 8 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (0x7F >> more)]) + file.read(more), "big")
    return None if value == (1 << (7 * (more + 1))) - 1 else value
