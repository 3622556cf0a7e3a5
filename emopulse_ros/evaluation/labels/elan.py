"""Labels made with ELAN: its own file (``.eaf``), or its export as tab-delimited text.

A tier is named for the units its annotations are about (``AU4``); where it is not, each annotation
names them itself (``4+7``). What has no units in either is left out. Tiers called ``blink`` or
``speech`` are that.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from emopulse_ros.evaluation.labels.timed import LabelError, Timed, TimedLabels
from emopulse_ros.evaluation.labels.units import units_of
from emopulse_ros.evaluation.truth import Kind

_TIME = re.compile(r"(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)")

_Annotation = tuple[str, str, float, float]
"""Tier, value, begin and end in seconds."""


def read_elan(path: Path) -> TimedLabels:
    """Read annotations; times are seconds since the first frame.

    :raises LabelError: if the file cannot be read, or no annotation in it names a unit.
    """
    try:
        found = _of_xml(path) if path.suffix == ".eaf" else _of_text(path)
        labels = tuple(_labels(found))
    except ElementTree.ParseError as error:
        raise LabelError(f"{path} is no ELAN file: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{path} cannot be read: {error}") from error
    if not labels:
        raise LabelError(f"no annotation in {path} names an action unit, such as AU4 or 4+7")
    return TimedLabels(str(path), "s", labels)


def _labels(annotations: list[_Annotation]) -> Iterator[Timed]:
    for tier, value, begin, end in annotations:
        aus = _units(tier) or _units(value)
        name = tier.strip().lower()
        kind: Kind = "blink" if name == "blink" else "speech" if name == "speech" else "expression"
        if kind == "blink" and not aus:
            aus = (45,)
        if aus:
            yield Timed(begin, None, end, aus, kind)


def _units(text: str) -> tuple[int, ...]:
    try:
        return units_of(text, "")
    except LabelError:
        return ()


def _of_xml(path: Path) -> list[_Annotation]:
    root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
    times = {
        slot.get("TIME_SLOT_ID", ""): float(slot.get("TIME_VALUE", "nan")) / 1000.0
        for slot in root.iter("TIME_SLOT")
    }
    return [
        (
            tier.get("TIER_ID", ""),
            annotation.findtext("ANNOTATION_VALUE") or "",
            times[annotation.get("TIME_SLOT_REF1", "")],
            times[annotation.get("TIME_SLOT_REF2", "")],
        )
        for tier in root.iter("TIER")
        for annotation in tier.iter("ALIGNABLE_ANNOTATION")
    ]


def _of_text(path: Path) -> list[_Annotation]:
    """Tier, participant, begin, end, duration, value: ELAN's order, its times in any of its forms.

    The first two times of a line are its begin and end.
    """
    found = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, cells in enumerate(csv.reader(file, delimiter="\t"), 1):
            times = [time for cell in cells[1:] if (time := _seconds(cell)) is not None]
            if not any(cells):
                continue
            if len(times) < 2 or times[1] < times[0]:
                if number == 1:
                    continue  # a header
                raise LabelError(f"{path}, line {number} has no begin and end, in tabs")
            found.append((cells[0], cells[-1], times[0], times[1]))
    return found


def _seconds(text: str) -> float | None:
    clock = _TIME.fullmatch(text.strip())
    if clock is not None:
        hours, minutes, seconds = clock.groups()
        return 3600.0 * int(hours or 0) + 60.0 * int(minutes) + float(seconds)
    return float(text) if re.fullmatch(r"\d+\.\d+", text.strip()) else None
