"""Cameras of Video for Linux 2: those on USB (UVC), and what else has a ``/dev/video*``."""

from __future__ import annotations

from emopulse_ros.camera.v4l2.opening import Opener, listing

__all__ = ["Opener", "listing"]
