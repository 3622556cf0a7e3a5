"""The kernel's structures of Video for Linux 2, as in ``linux/videodev2.h``.

Laid out as the C compiler of 64-bit x86 and ARM does. Fields that nobody here reads are there for
their place.
"""

from __future__ import annotations

from ctypes import (
    Structure,
    Union,
    c_char,
    c_int32,
    c_long,
    c_uint8,
    c_uint32,
    c_ulong,
    c_void_p,
)


class Capability(Structure):
    """v4l2_capability"""

    _fields_ = (
        ("driver", c_char * 16),
        ("card", c_char * 32),
        ("bus_info", c_char * 32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("device_caps", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FormatDescription(Structure):
    """v4l2_fmtdesc"""

    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("flags", c_uint32),
        ("description", c_char * 32),
        ("pixelformat", c_uint32),
        ("mbus_code", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class DiscreteSize(Structure):
    """v4l2_frmsize_discrete"""

    _fields_ = (("width", c_uint32), ("height", c_uint32))


class StepwiseSize(Structure):
    """v4l2_frmsize_stepwise"""

    _fields_ = (
        ("min_width", c_uint32),
        ("max_width", c_uint32),
        ("step_width", c_uint32),
        ("min_height", c_uint32),
        ("max_height", c_uint32),
        ("step_height", c_uint32),
    )


class _EitherSize(Union):
    _fields_ = (("discrete", DiscreteSize), ("stepwise", StepwiseSize))


class FrameSize(Structure):
    """v4l2_frmsizeenum"""

    _anonymous_ = ("either",)
    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("type", c_uint32),
        ("either", _EitherSize),
        ("reserved", c_uint32 * 2),
    )


class Ratio(Structure):
    """v4l2_fract"""

    _fields_ = (("numerator", c_uint32), ("denominator", c_uint32))


class StepwiseInterval(Structure):
    """v4l2_frmival_stepwise"""

    _fields_ = (("min", Ratio), ("max", Ratio), ("step", Ratio))


class _EitherInterval(Union):
    _fields_ = (("discrete", Ratio), ("stepwise", StepwiseInterval))


class FrameInterval(Structure):
    """v4l2_frmivalenum"""

    _anonymous_ = ("either",)
    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("type", c_uint32),
        ("either", _EitherInterval),
        ("reserved", c_uint32 * 2),
    )


class PixelFormat(Structure):
    """v4l2_pix_format"""

    _fields_ = (
        ("width", c_uint32),
        ("height", c_uint32),
        ("pixelformat", c_uint32),
        ("field", c_uint32),
        ("bytesperline", c_uint32),
        ("sizeimage", c_uint32),
        ("colorspace", c_uint32),
        ("priv", c_uint32),
        ("flags", c_uint32),
        ("ycbcr_enc", c_uint32),
        ("quantization", c_uint32),
        ("xfer_func", c_uint32),
    )


class _AnyFormat(Union):
    # Another of its forms holds pointers, by which the whole is aligned.
    _fields_ = (("pix", PixelFormat), ("raw", c_uint8 * 200), ("pointer", c_void_p))


class Format(Structure):
    """v4l2_format"""

    _anonymous_ = ("fmt",)
    _fields_ = (("type", c_uint32), ("fmt", _AnyFormat))


class CaptureParameters(Structure):
    """v4l2_captureparm"""

    _fields_ = (
        ("capability", c_uint32),
        ("capturemode", c_uint32),
        ("timeperframe", Ratio),
        ("extendedmode", c_uint32),
        ("readbuffers", c_uint32),
        ("reserved", c_uint32 * 4),
    )


class _AnyParameters(Union):
    _fields_ = (("capture", CaptureParameters), ("raw", c_uint8 * 200))


class StreamParameters(Structure):
    """v4l2_streamparm"""

    _anonymous_ = ("parm",)
    _fields_ = (("type", c_uint32), ("parm", _AnyParameters))


class BufferRequest(Structure):
    """v4l2_requestbuffers"""

    _fields_ = (
        ("count", c_uint32),
        ("type", c_uint32),
        ("memory", c_uint32),
        ("capabilities", c_uint32),
        ("flags", c_uint8),
        ("reserved", c_uint8 * 3),
    )


class Time(Structure):
    """timeval"""

    _fields_ = (("seconds", c_long), ("microseconds", c_long))


class TimeCode(Structure):
    """v4l2_timecode"""

    _fields_ = (
        ("type", c_uint32),
        ("flags", c_uint32),
        ("digits", c_uint8 * 4),
        ("userbits", c_uint8 * 4),
    )


class _Where(Union):
    _fields_ = (("offset", c_uint32), ("userptr", c_ulong), ("planes", c_void_p), ("fd", c_int32))


class Buffer(Structure):
    """v4l2_buffer"""

    _anonymous_ = ("m",)
    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("bytesused", c_uint32),
        ("flags", c_uint32),
        ("field", c_uint32),
        ("timestamp", Time),
        ("timecode", TimeCode),
        ("sequence", c_uint32),
        ("memory", c_uint32),
        ("m", _Where),
        ("length", c_uint32),
        ("reserved2", c_uint32),
        ("request_fd", c_int32),
    )


class Control(Structure):
    """v4l2_control"""

    _fields_ = (("id", c_uint32), ("value", c_int32))


class ControlQuery(Structure):
    """v4l2_queryctrl"""

    _fields_ = (
        ("id", c_uint32),
        ("type", c_uint32),
        ("name", c_char * 32),
        ("minimum", c_int32),
        ("maximum", c_int32),
        ("step", c_int32),
        ("default_value", c_int32),
        ("flags", c_uint32),
        ("reserved", c_uint32 * 2),
    )
