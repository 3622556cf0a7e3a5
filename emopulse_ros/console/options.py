"""Options that several commands have."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emopulse_ros.camera import Camera

ENGINES = ("auto", "onnx", "cuda", "tensorrt")
"""Those of the detection; written here, so that a list of options loads no library."""


def add_camera(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Which camera, how fast, how long; ``more`` are the specs that only this command knows."""
    parser.add_argument(
        "--camera",
        default="synthetic",
        metavar="SPEC",
        help="synthetic[:SEED[xFACES]], video:PATH, folder:PATH, bag:PATH, v4l2:[PATH], "
        f"genicam:[ID]{more} (default: synthetic)",
    )
    parser.add_argument(
        "--rate",
        type=float,
        metavar="FPS",
        help="frames per second, in place of the camera's own; of a bag its speed",
    )
    parser.add_argument(
        "--size", type=_size, metavar="WxH", help="of a device's pictures, such as 640x480"
    )
    parser.add_argument(
        "--exposure", type=float, metavar="US", help="exposure time of a device in microseconds"
    )
    parser.add_argument("--duration", type=float, metavar="S", help="seconds until it ends")


def opened(arguments: argparse.Namespace) -> Camera:
    """The camera that these options ask for.

    :raises ValueError: if one of them makes no sense.
    :raises CameraError: if it cannot be opened.
    """
    from emopulse_ros.camera import open_camera

    return open_camera(arguments.camera, **wishes(arguments))


def wishes(arguments: argparse.Namespace) -> dict[str, Any]:
    """What is asked of the camera, by the names under which everything takes it."""
    return {name: getattr(arguments, name) for name in ("rate", "size", "exposure", "duration")}


def _size(text: str) -> tuple[int, int]:
    sides = re.fullmatch(r"(\d+)x(\d+)", text, re.ASCII)
    if sides is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no size: it is width and height, as 640x480")
    return int(sides[1]), int(sides[2])


def add_model(parser: argparse.ArgumentParser) -> None:
    """Which model."""
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="an EmoPulse model in place of the one built in; int8 for that in 8 bits",
    )


def add_engine(parser: argparse.ArgumentParser, default: str = "auto") -> None:
    """Which engine; ``default`` says in words what it is without the option."""
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        help="what runs the network: ONNX Runtime, on a processor or by CUDA on a GPU, TensorRT, "
        "or the best there is "
        f"(default: {default})",
    )


def add_out(parser: argparse.ArgumentParser, default: str, what: str) -> None:
    """In which folder ``what`` goes."""
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(default),
        metavar="DIR",
        help=f"where {what} go (default: {default})",
    )
