"""SAMM: 200 frames per second, gray, a clip for each micro-expression."""

from __future__ import annotations

from pathlib import Path

from emopulse_ros.camera.numbered import NumberedImages
from emopulse_ros.evaluation.datasets.clip import LabelledSet
from emopulse_ros.evaluation.datasets.layout import Layout
from emopulse_ros.evaluation.datasets.tree import find_file, folders
from emopulse_ros.evaluation.datasets.trimmed import subject_folders, subject_rows, trimmed_clips

NAME = "SAMM"

TABLES = ("SAMM_Micro_FACS_Codes_v2.xlsx", "SAMM_Micro_FACS_Codes.xlsx")

PLAN = Layout(NAME, NAME, 200.0, "Onset Frame", "Apex Frame", "Offset Frame", "Action Units")


def load_samm(root: str | Path) -> LabelledSet:
    """Read SAMM as it lies on disk: the table, and ``006/006_1_2/006_05562.jpg``.

    The folders of the subjects are beside the table or in one folder there.

    :raises RuntimeError: if openpyxl is not installed.
    :raises ValueError: if the table or the images are not there, or the table is another one.
    """
    root = Path(root).expanduser()
    table = find_file(root, NAME, TABLES)
    rows = subject_rows(table, PLAN, "{:03d}")
    found = subject_folders(_subjects(root))
    return trimmed_clips(PLAN, rows, found, table, _named_for_another)


def _subjects(root: Path) -> list[Path]:
    """The folders of the subjects, which are named by three digits."""
    for place in (root, *folders(root)):
        if subjects := [p for p in folders(place) if len(p.name) == 3 and p.name.isdigit()]:
            return subjects
    raise ValueError(
        f"There is no folder of images of {NAME} in '{root}': looked for folders of subjects such "
        "as '006' there and one folder further in; give the folder that holds the data set as it "
        "was unpacked."
    )


def _named_for_another(subject: str, images: NumberedImages) -> list[str]:
    """Images whose names begin with the number of another subject."""
    begin = {path.stem.partition("_")[0] for path in images.paths.values() if "_" in path.stem}
    others = sorted(name for name in begin - {subject} if name.isdigit())
    return [f"images are named for subject {' and '.join(others)}"] if others else []
