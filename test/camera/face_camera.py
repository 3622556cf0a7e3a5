"""A GigE Vision camera in whose picture is a face: Aravis' simulation, its pattern painted over.

``python face_camera.py ADDRESS SERIAL LOST_PER_THOUSAND``; what is lost are packets.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
import time
from typing import Any

import numpy as np

from emopulse_ros.camera import open_camera
from emopulse_ros.camera.aravis import load_aravis

KEPT = 200
"""Pictures, played to and fro."""

PACKET_SIZE = 0x0D04
"""GigE Vision's register of it. The simulation sends 1400 bytes: where one packet in a hundred is
lost, that damages almost every picture of 221."""

LARGEST = 8192
"""What a network with large packets (MTU 9000) carries: 38 a picture."""


def main(address: str, serial: str, lost: str) -> None:
    aravis, _ = load_aravis()
    with open_camera("synthetic:7", duration=KEPT / 200.0) as synthetic:
        there = [np.ascontiguousarray(frame.image) for frame in synthetic]
    pictures = there + there[-2:0:-1]
    counter = iter(range(1 << 62))
    library = ctypes.CDLL(ctypes.util.find_library("aravis-0.8") or "libaravis-0.8.so.0")
    library.arv_buffer_get_data.restype = ctypes.c_void_p
    library.arv_buffer_get_data.argtypes = [ctypes.c_void_p, ctypes.c_void_p]

    # By GObject's introspection the pattern would be let go before it is ever painted.
    @ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_uint32] * 3)
    def paint(buffer: int, *_: Any) -> None:
        picture = pictures[next(counter) % len(pictures)]
        size = min(camera.get_payload(), picture.nbytes)
        ctypes.memmove(library.arv_buffer_get_data(buffer, None), picture.ctypes.data, size)

    server = aravis.GvFakeCamera.new(address, serial)
    server.set_property("gvsp-lost-ratio", float(lost) / 1000.0)
    camera = server.get_fake_camera()
    camera.write_register(PACKET_SIZE, LARGEST)
    setting = library.arv_fake_camera_set_fill_pattern
    setting.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    setting(hash(camera), paint, None)
    while True:
        time.sleep(1.0)


if __name__ == "__main__":
    main(*sys.argv[1:4])
