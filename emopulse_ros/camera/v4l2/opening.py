"""Which device file a spec means, now and after its camera was plugged in again."""

from __future__ import annotations

from pathlib import Path

from emopulse_ros.camera.live import Wish
from emopulse_ros.camera.source import CameraError
from emopulse_ros.camera.v4l2.device import VideoDevice
from emopulse_ros.camera.v4l2.kernel import Kernel
from emopulse_ros.camera.v4l2.modes import Mode, offered
from emopulse_ros.camera.v4l2.node import Node, NotACameraError

NONE = "No camera is plugged in: there is no /dev/video*."


class Opener:
    """Opens ``/dev/video0`` and the like, or, given no path, the first camera that answers.

    A camera that comes back under another number is found by its name in ``/dev/v4l/by-id``: what
    was opened once by a path is the same camera the next time, for as long as it is plugged in.
    """

    def __init__(self, kernel: Kernel | None = None) -> None:
        self.kernel = kernel or Kernel()
        self._met: dict[str, Path] = {}

    def __call__(self, argument: str, wish: Wish) -> VideoDevice:
        """Open it.

        :raises CameraError: a sentence on why it cannot be opened.
        """
        lasting = self._met.get(argument)
        if lasting is not None and lasting.exists():
            return VideoDevice(lasting, wish, self.kernel)
        if argument:
            path = Path(argument)
            device = VideoDevice(path, wish, self.kernel)
        else:
            path, device = self._first(wish)
        self._met.pop(argument, None)
        if (name := lasting_name(path, self.kernel.folder)) is not None:
            self._met[argument] = name
        return device

    def _first(self, wish: Wish) -> tuple[Path, VideoDevice]:
        reasons = []
        for path in device_files(self.kernel.folder):
            found = self._tried(path, wish)
            if isinstance(found, VideoDevice):
                return path, found
            reasons.append(found)
        raise CameraError(" ".join(["No camera answers.", *reasons]) if reasons else NONE)

    def _tried(self, path: Path, wish: Wish) -> VideoDevice | str:
        """The device, or why it cannot be opened."""
        try:
            return VideoDevice(path, wish, self.kernel)
        except CameraError as error:
            return str(error)


def device_files(folder: Path) -> list[Path]:
    """The video devices' files, by number."""
    files = [file for file in folder.glob("video*") if file.name[5:].isdecimal()]
    return sorted(files, key=lambda file: int(file.name[5:]))


def lasting_name(path: Path, folder: Path) -> Path | None:
    """The link to a device file by what its device is, if there is one."""
    file = path.resolve()
    for link in sorted((folder / "v4l" / "by-id").glob("*")):
        if link.resolve() == file:
            return link
    return None


def listing(kernel: Kernel | None = None) -> list[str]:
    """Every camera there is, with the fastest mode of each pixel format, or why not."""
    kernel = kernel or Kernel()
    told = (_abilities(kernel, path) for path in device_files(kernel.folder))
    return [line for line in told if line]


def _abilities(kernel: Kernel, path: Path) -> str:
    """What a device file can do, in words; nothing for what is no camera."""
    try:
        node = Node(kernel, path)
    except NotACameraError:
        return ""
    except CameraError as error:
        return str(error)
    try:
        modes = offered(node)
    except CameraError as error:
        return str(error)
    finally:
        kernel.close(node.fd)
    fastest = {mode.pixels: mode for mode in sorted(modes, key=_speed)}
    return f"{path} ({node.card}): {', '.join(map(str, fastest.values()))}"


def _speed(mode: Mode) -> tuple[float, int]:
    return mode.rate, mode.size[0] * mode.size[1] if mode.size else 0
