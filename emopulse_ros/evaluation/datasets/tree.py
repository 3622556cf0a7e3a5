"""Where things lie in a data set's folder, as people have it on disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path


def find_file(root: Path, dataset: str, names: Sequence[str]) -> Path:
    """The first of these files that is in ``root`` or in a folder inside it; case matters not.

    :raises ValueError: if there is none, or no such folder.
    """
    return _find(root, dataset, names, "coding table", [p for p in _near(root) if p.is_file()])


def find_folder(root: Path, dataset: str, names: Sequence[str]) -> Path:
    """The first of these folders that is in ``root``, in a folder inside it, or is it itself.

    A folder that holds nothing but one of the same name, as archives unpack, stands for that one.

    :raises ValueError: if there is none, or no such folder.
    """
    places = [root.absolute(), *(path for path in _near(root) if path.is_dir())]
    found = _find(root, dataset, names, "folder of images", places)
    inner = found / found.name
    return inner if inner.is_dir() else found


def folders(path: Path) -> list[Path]:
    """The folders inside a folder that are not hidden, by name."""
    return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))


def _near(root: Path) -> list[Path]:
    if not root.is_dir():
        raise ValueError(f"There is no folder '{root}'; give the one that holds the data set.")
    near = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    return near + [p for folder in near if folder.is_dir() for p in _inside(folder)]


def _inside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _find(
    root: Path, dataset: str, names: Sequence[str], what: str, places: Iterable[Path]
) -> Path:
    by_name: dict[str, Path] = {}
    for place in places:
        by_name.setdefault(place.name.casefold(), place)
    for name in names:
        if name.casefold() in by_name:
            return by_name[name.casefold()]
    listed = " or ".join(f"'{name}'" for name in names)
    raise ValueError(
        f"There is no {what} of {dataset} in '{root}': looked for {listed} there and one folder "
        "further in; give the folder that holds the data set as it was unpacked."
    )
