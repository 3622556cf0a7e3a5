"""The images of a folder, by the number at the end of their names."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from emopulse_ros.camera.source import CameraError

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".tif", ".tiff"})
"""Files that are images, by the end of their names."""

_NUMBER = re.compile(r"\d+$")


@dataclass(frozen=True, slots=True)
class NumberedImages:
    """What lies in one folder.

    ``paths`` are the images by number, in rising order: ``img46.jpg`` and ``006_00046.jpg`` are
    both number 46, however many zeros stand before it. ``stray`` are the names of the files left
    out: hidden ones, what is no image, and images whose name does not end in a number.
    """

    folder: Path
    paths: dict[int, Path]
    stray: tuple[str, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers, rising; some may be missing in between."""
        return tuple(self.paths)


def numbered_images(folder: Path) -> NumberedImages:
    """Look through a folder; folders inside it are not looked into.

    :raises CameraError: if there is no such folder, it may not be read, it has no numbered image,
        or two images have the same number.
    """
    found: dict[int, Path] = {}
    stray: list[str] = []
    for path in _files(folder):
        number = _NUMBER.search(path.stem)
        if path.name.startswith(".") or path.suffix.lower() not in SUFFIXES or not number:
            stray.append(path.name)
            continue
        other = found.setdefault(int(number[0]), path)
        if other != path:
            raise CameraError(
                f"'{folder}' holds two images of number {int(number[0])}: {other.name} and "
                f"{path.name}; take one of them away."
            )
    if not found:
        raise CameraError(
            f"'{folder}' holds no image whose name ends in a number, such as img46.jpg; "
            "give the folder that holds the frames themselves."
        )
    return NumberedImages(folder, dict(sorted(found.items())), tuple(stray))


def _files(folder: Path) -> list[Path]:
    if not folder.exists():
        raise CameraError(f"There is no folder '{folder}'.")
    if not folder.is_dir():
        raise CameraError(f"'{folder}' is a file; give the folder that holds the images.")
    try:
        # A scan knows what each entry is; a long video has thousands.
        with os.scandir(folder) as entries:
            return sorted(folder / entry.name for entry in entries if not entry.is_dir())
    except PermissionError as error:
        raise CameraError(f"'{folder}' may not be read; check its permissions.") from error
