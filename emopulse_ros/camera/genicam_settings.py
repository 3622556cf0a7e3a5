"""What is asked of a GenICam camera, and what it makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emopulse_ros.camera.aravis import Libraries
from emopulse_ros.camera.live import Wish
from emopulse_ros.camera.source import CameraError

LONGEST_EXPOSURE = 0.8
"""Share of a period: what is left of it reads the picture out."""

SAME = 0.005
"""Share by which a value that was read back may differ from what was asked for."""


def apply_settings(libraries: Libraries, camera: Any, name: str, wish: Wish) -> list[str]:
    """Set an ``Aravis.Camera`` to take 8-bit gray pictures by itself, as wished.

    Returns what it does otherwise, in sentences.

    :raises CameraError: if it takes no pictures in 8-bit gray.
    """
    _take_gray(camera, name)
    camera.set_acquisition_mode(libraries.aravis.AcquisitionMode.CONTINUOUS)
    return [
        *_attempt(libraries, name, "size", lambda: _set_size(camera, name, wish.size)),
        # The exposure first: it limits the rate.
        *change_exposure(libraries, camera, name, wish),
        *_attempt(libraries, name, "frame rate", lambda: _set_rate(camera, name, wish.rate)),
    ]


def change_exposure(libraries: Libraries, camera: Any, name: str, wish: Wish) -> list[str]:
    """Set the exposure alone, also while the camera takes pictures.

    Returns what came of it otherwise, in sentences.
    """
    return _attempt(
        libraries,
        name,
        "exposure time",
        lambda: _set_exposure(libraries.aravis, camera, name, wish),
    )


def _attempt(
    libraries: Libraries, name: str, what: str, step: Callable[[], str | None]
) -> list[str]:
    try:
        told = step()
    except libraries.glib.Error as error:
        told = f"{name} does not let its {what} be set: {error.message}."
    return [told] if told else []


def _take_gray(camera: Any, name: str) -> None:
    formats = list(camera.dup_available_pixel_formats_as_strings())
    if "Mono8" not in formats:
        raise CameraError(
            f"{name} has no 8-bit gray pictures (Mono8), only {', '.join(formats) or 'none'}; "
            "EmoPulse reads no other"
        )
    camera.set_pixel_format_from_string("Mono8")


def _set_size(camera: Any, name: str, size: tuple[int, int] | None) -> str | None:
    """Cut a region of that size out of the sensor's middle."""
    if size is None:
        return None
    moves = camera.is_region_offset_available()
    if moves:
        camera.set_region(0, 0, -1, -1)
    width = _fitting(size[0], camera.get_width_bounds(), camera.get_width_increment())
    height = _fitting(size[1], camera.get_height_bounds(), camera.get_height_increment())
    camera.set_region(-1, -1, width, height)
    if moves:
        across, down = camera.get_x_offset_bounds(), camera.get_y_offset_bounds()
        x = _fitting(across[1] // 2, across, camera.get_x_offset_increment())
        y = _fitting(down[1] // 2, down, camera.get_y_offset_increment())
        camera.set_region(x, y, -1, -1)
    if (width, height) == size:
        return None
    return f"{name} takes pictures of {width}x{height} pixels, not {size[0]}x{size[1]}."


def _fitting(value: int, bounds: tuple[int, int], step: int) -> int:
    least, most = bounds
    return least + (min(max(value, least), most) - least) // max(step, 1) * max(step, 1)


def _set_exposure(aravis: Any, camera: Any, name: str, wish: Wish) -> str | None:
    """As wished; else the camera's own choice, unless that is fixed and too long for the rate."""
    if not camera.is_exposure_time_available():
        return f"{name} has no control of its exposure time." if wish.exposure else None
    automatic = camera.is_exposure_auto_available()
    wanted = wish.exposure
    if wanted is None:
        if wish.rate is None or (automatic and camera.get_exposure_time_auto() != aravis.Auto.OFF):
            return None
        wanted = LONGEST_EXPOSURE * 1e6 / wish.rate
        if camera.get_exposure_time() <= wanted:
            return None
    if automatic:
        camera.set_exposure_time_auto(aravis.Auto.OFF)
    least, most = camera.get_exposure_time_bounds()
    camera.set_exposure_time(min(max(wanted, least), most))
    is_now = camera.get_exposure_time()
    if wish.exposure is None or abs(is_now - wanted) <= max(SAME * wanted, 1.0):
        return None
    return f"{name} exposes for {is_now:g} µs, not {wanted:g}."


def _set_rate(camera: Any, name: str, rate: float | None) -> str | None:
    if not camera.is_frame_rate_available():
        camera.clear_triggers()
        return f"{name} has no control of its frame rate." if rate else None
    if rate is None:
        camera.clear_triggers()
        return None
    # It ends triggering, and switches the rate's control on, where there is such a switch.
    camera.set_frame_rate(rate)
    is_now = camera.get_frame_rate()
    if abs(is_now / rate - 1.0) <= SAME:
        return None
    return f"{name} can take {is_now:.1f} frames a second as it is set, not {rate:g}."
