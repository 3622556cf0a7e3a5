"""The kernel's numbers and layouts, as published and as the C compiler has them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from ctypes import Structure, sizeof
from pathlib import Path

import pytest

from emopulse_ros.camera.v4l2 import calls, layouts

ON_64_BITS = pytest.mark.skipif(sys.maxsize < 2**32, reason="the numbers are those of 64 bits")

PUBLISHED = {
    "QUERYCAP": 0x80685600,
    "ENUM_FMT": 0xC0405602,
    "G_FMT": 0xC0D05604,
    "S_FMT": 0xC0D05605,
    "REQBUFS": 0xC0145608,
    "QUERYBUF": 0xC0585609,
    "QBUF": 0xC058560F,
    "DQBUF": 0xC0585611,
    "STREAMON": 0x40045612,
    "STREAMOFF": 0x40045613,
    "G_PARM": 0xC0CC5615,
    "S_PARM": 0xC0CC5616,
    "G_CTRL": 0xC008561B,
    "S_CTRL": 0xC008561C,
    "QUERYCTRL": 0xC0445624,
    "ENUM_FRAMESIZES": 0xC02C564A,
    "ENUM_FRAMEINTERVALS": 0xC034564B,
}

CONSTANTS = {
    "CAPTURE": "V4L2_BUF_TYPE_VIDEO_CAPTURE",
    "MMAP": "V4L2_MEMORY_MMAP",
    "PROGRESSIVE": "V4L2_FIELD_NONE",
    "CAP_CAPTURE": "V4L2_CAP_VIDEO_CAPTURE",
    "CAP_CAPTURE_PLANES": "V4L2_CAP_VIDEO_CAPTURE_MPLANE",
    "CAP_METADATA": "V4L2_CAP_META_CAPTURE",
    "CAP_STREAMING": "V4L2_CAP_STREAMING",
    "CAP_DEVICE_CAPS": "V4L2_CAP_DEVICE_CAPS",
    "CAP_TIME_PER_FRAME": "V4L2_CAP_TIMEPERFRAME",
    "BUFFER_ERROR": "V4L2_BUF_FLAG_ERROR",
    "BUFFER_CLOCK": "V4L2_BUF_FLAG_TIMESTAMP_MASK",
    "BUFFER_MONOTONIC": "V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC",
    "EXPOSURE_AUTO": "V4L2_CID_EXPOSURE_AUTO",
    "EXPOSURE_ABSOLUTE": "V4L2_CID_EXPOSURE_ABSOLUTE",
    "EXPOSURE_AUTO_PRIORITY": "V4L2_CID_EXPOSURE_AUTO_PRIORITY",
    "EXPOSURE_MANUAL": "V4L2_EXPOSURE_MANUAL",
    "EXPOSURE_SHUTTER_PRIORITY": "V4L2_EXPOSURE_SHUTTER_PRIORITY",
    "CONTROL_DISABLED": "V4L2_CTRL_FLAG_DISABLED",
}

FOURCCS = {
    "GREY": "V4L2_PIX_FMT_GREY",
    "Y10 ": "V4L2_PIX_FMT_Y10",
    "YUYV": "V4L2_PIX_FMT_YUYV",
    "UYVY": "V4L2_PIX_FMT_UYVY",
    "MJPG": "V4L2_PIX_FMT_MJPEG",
}

FIELDS = {"digits": "frames", "seconds": "tv_sec", "microseconds": "tv_usec"}
"""Ours whose names are others in C."""


def structures() -> dict[str, type[Structure]]:
    """Those with a name of their own, by what C calls them."""
    found = {}
    for kind in vars(layouts).values():
        name = (getattr(kind, "__doc__", None) or "").strip()
        if isinstance(kind, type) and issubclass(kind, Structure) and kind is not Structure:
            found[name] = kind
    return found


def ours() -> dict[str, int]:
    """Every size, offset and number, by the C expression that gives it."""
    values = {f"VIDIOC_{name}": getattr(calls, name) for name in PUBLISHED}
    values |= {c: getattr(calls, name) for name, c in CONSTANTS.items()}
    values |= {c: calls.fourcc(name) for name, c in FOURCCS.items()}
    values |= {"V4L2_FRMSIZE_TYPE_DISCRETE": calls.DISCRETE}
    values |= {"V4L2_FRMIVAL_TYPE_DISCRETE": calls.DISCRETE}
    for name, kind in structures().items():
        values[f"sizeof(struct {name})"] = sizeof(kind)
        for item in kind._fields_:
            if item[0] not in ("either", "m", "fmt", "parm"):
                member = FIELDS.get(item[0], item[0])
                values[f"offsetof(struct {name}, {member})"] = getattr(kind, item[0]).offset
    values["offsetof(struct v4l2_frmsizeenum, stepwise)"] = layouts.FrameSize.either.offset
    values["offsetof(struct v4l2_frmivalenum, stepwise)"] = layouts.FrameInterval.either.offset
    values["offsetof(struct v4l2_format, fmt.pix)"] = layouts.Format.fmt.offset
    values["offsetof(struct v4l2_streamparm, parm.capture)"] = layouts.StreamParameters.parm.offset
    values["offsetof(struct v4l2_buffer, m.offset)"] = layouts.Buffer.m.offset
    return values


@ON_64_BITS
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_call_has_its_published_number(name: str) -> None:
    assert getattr(calls, name) == PUBLISHED[name]


def test_every_structure_is_compared() -> None:
    assert len(structures()) == 18
    assert all(name == "timeval" or name.startswith("v4l2_") for name in structures())


def test_everything_is_what_the_c_compiler_says(tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    if not Path("/usr/include/linux/videodev2.h").is_file():
        pytest.skip("linux/videodev2.h is not installed (linux-libc-dev)")
    values = ours()
    prints = "".join(f'printf("%llu\\n", (unsigned long long)({c}));' for c in values)
    source = tmp_path / "numbers.c"
    source.write_text(
        "#include <stddef.h>\n#include <stdio.h>\n#include <linux/videodev2.h>\n"
        f"int main(void) {{ {prints} return 0; }}\n"
    )
    program = tmp_path / "numbers"
    subprocess.run([compiler, source, "-o", program], check=True, timeout=60)
    said = subprocess.run([program], check=True, capture_output=True, text=True, timeout=60)
    assert dict(zip(values, map(int, said.stdout.split()), strict=True)) == values


def test_pixel_formats_are_four_letters() -> None:
    assert calls.fourcc("YUYV") == 0x56595559
    assert calls.letters(0x56595559) == "YUYV"
    assert calls.letters(calls.fourcc("Y10 ")) == "Y10"
