"""The calls of Video for Linux 2, by their numbers, and the constants they take.

A call's number holds the size of its structure (``_IOC`` of ``asm-generic/ioctl.h``).
"""

from __future__ import annotations

from ctypes import Structure, c_int, sizeof

from emopulse_ros.camera.v4l2.layouts import (
    Buffer,
    BufferRequest,
    Capability,
    Control,
    ControlQuery,
    Format,
    FormatDescription,
    FrameInterval,
    FrameSize,
    StreamParameters,
)

CAPTURE = 1
"""V4L2_BUF_TYPE_VIDEO_CAPTURE"""
MMAP = 1
"""V4L2_MEMORY_MMAP"""
PROGRESSIVE = 1
"""V4L2_FIELD_NONE"""
DISCRETE = 1
"""V4L2_FRMSIZE_TYPE_DISCRETE, V4L2_FRMIVAL_TYPE_DISCRETE"""

CAP_CAPTURE = 0x0000_0001
CAP_CAPTURE_PLANES = 0x0000_1000
CAP_METADATA = 0x0080_0000
CAP_STREAMING = 0x0400_0000
CAP_DEVICE_CAPS = 0x8000_0000
CAP_TIME_PER_FRAME = 0x1000

BUFFER_ERROR = 0x0000_0040
BUFFER_CLOCK = 0x0000_E000
BUFFER_MONOTONIC = 0x0000_2000

EXPOSURE_AUTO = 0x009A_0901
EXPOSURE_ABSOLUTE = 0x009A_0902
EXPOSURE_AUTO_PRIORITY = 0x009A_0903
EXPOSURE_MANUAL = 1
EXPOSURE_SHUTTER_PRIORITY = 2
CONTROL_DISABLED = 0x0001


def _number(direction: int, number: int, argument: type[Structure] | type[c_int]) -> int:
    """The number of a call; all of them are of the letter V."""
    return direction << 30 | sizeof(argument) << 16 | ord("V") << 8 | number


_WRITE, _READ = 1, 2
QUERYCAP = _number(_READ, 0, Capability)
ENUM_FMT = _number(_READ | _WRITE, 2, FormatDescription)
G_FMT = _number(_READ | _WRITE, 4, Format)
S_FMT = _number(_READ | _WRITE, 5, Format)
REQBUFS = _number(_READ | _WRITE, 8, BufferRequest)
QUERYBUF = _number(_READ | _WRITE, 9, Buffer)
QBUF = _number(_READ | _WRITE, 15, Buffer)
DQBUF = _number(_READ | _WRITE, 17, Buffer)
STREAMON = _number(_WRITE, 18, c_int)
STREAMOFF = _number(_WRITE, 19, c_int)
G_PARM = _number(_READ | _WRITE, 21, StreamParameters)
S_PARM = _number(_READ | _WRITE, 22, StreamParameters)
G_CTRL = _number(_READ | _WRITE, 27, Control)
S_CTRL = _number(_READ | _WRITE, 28, Control)
QUERYCTRL = _number(_READ | _WRITE, 36, ControlQuery)
ENUM_FRAMESIZES = _number(_READ | _WRITE, 74, FrameSize)
ENUM_FRAMEINTERVALS = _number(_READ | _WRITE, 75, FrameInterval)


def fourcc(name: str) -> int:
    """The number of a pixel format of four letters."""
    return int.from_bytes(name.encode("ascii"), "little")


def letters(code: int) -> str:
    """The four letters of a pixel format, without blanks at the end."""
    return (code & 0x7FFF_FFFF).to_bytes(4, "little").decode("ascii", "replace").rstrip()
