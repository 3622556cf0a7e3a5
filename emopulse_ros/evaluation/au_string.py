"""Action units as coders write them: ``L4+12``, ``R14A``, ``AU4, 5B``, ``12 or 14``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

Side = Literal["L", "R"]
Intensity = Literal["A", "B", "C", "D", "E"]

HIGHEST = 98
"""No code of FACS is higher."""

_UNIT = re.compile(
    r"(?P<side>[LR])?\s*(?:AU)?\s*(?P<late>[LR])?\s*(?P<code>\d+)\s*(?P<intensity>[A-E])?"
    r"(?!(?!OR)[A-Z]|\d)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"(?P<alternative>\s*OR\s*)|\s*[+,;\u3001]\s*|\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CodedUnit:
    """One unit as it was coded; side and intensity (A, a trace, to E, the most) where given."""

    code: int
    side: Side | None = None
    intensity: Intensity | None = None

    def __str__(self) -> str:
        return f"{self.side or ''}{self.code}{self.intensity or ''}"


@dataclass(frozen=True, slots=True)
class CodedUnits:
    """What one coding says.

    ``certain`` took part. Of the codes in ``undecided`` the coder could not tell which took part:
    they count neither as active nor as at rest.
    """

    certain: tuple[CodedUnit, ...] = ()
    undecided: tuple[int, ...] = ()

    @property
    def codes(self) -> tuple[int, ...]:
        """The codes that took part, each once, in the order they were written in."""
        return tuple(dict.fromkeys(unit.code for unit in self.certain))


def parse_units(text: str) -> CodedUnits:
    """Read the units out of a coding.

    Units are separated by ``+``, commas, semicolons (full-width ones too) or spaces, and may be
    written with ``AU`` in front. ``or`` stands between alternatives, and binds the two units beside
    it closer than ``+`` does: ``4 + 12 or 14`` is AU4, and AU12 or AU14. Alternatives of one code
    (``L14 or R14``, ``14A or 14B``) leave the unit certain and what they differ in open. A text
    without a unit gives none.

    :raises ValueError: if something in it is no unit.
    """
    groups = _groups(unicodedata.normalize("NFKC", text).strip())
    certain = [unit for group in groups if (unit := _agreed(group))]
    known = {unit.code for unit in certain}
    open_ = (unit.code for group in groups if not _agreed(group) for unit in group)
    return CodedUnits(
        tuple(dict.fromkeys(certain)),
        tuple(code for code in dict.fromkeys(open_) if code not in known),
    )


def write_units(units: Sequence[CodedUnit]) -> str:
    """Units as a text that :func:`parse_units` reads: ``L4+12B``."""
    return "+".join(map(str, units))


def _groups(text: str) -> list[list[CodedUnit]]:
    """The units in their order, alternatives together."""
    groups: list[list[CodedUnit]] = []
    at, joined = 0, False
    while at < len(text):
        unit = _UNIT.match(text, at)
        if unit is None:
            raise ValueError(f"'{text}' is no list of action units: '{text[at:]}' is not one.")
        if joined:
            groups[-1].append(_coded(unit, text))
        else:
            groups.append([_coded(unit, text)])
        at = unit.end()
        if at == len(text):
            return groups
        between = _BETWEEN.match(text, at)
        if between is None:
            raise ValueError(
                f"'{text}' is no list of action units: there is no '+' before '{text[at:]}'."
            )
        joined, at = between["alternative"] is not None, between.end()
    if groups:
        raise ValueError(f"'{text}' is no list of action units: nothing follows its last sign.")
    return groups


def _coded(unit: re.Match[str], text: str) -> CodedUnit:
    code = int(unit["code"])
    if not 1 <= code <= HIGHEST:
        raise ValueError(f"'{text}' is no list of action units: FACS has no unit {unit['code']}.")
    side, intensity = unit["side"] or unit["late"], unit["intensity"]
    return CodedUnit(
        code,
        cast(Side, side.upper()) if side else None,
        cast(Intensity, intensity.upper()) if intensity else None,
    )


def _agreed(group: list[CodedUnit]) -> CodedUnit | None:
    """The one unit that all alternatives agree on; None if they are of several codes."""
    first, *others = group
    if any(other.code != first.code for other in others):
        return None
    return CodedUnit(
        first.code,
        first.side if all(other.side == first.side for other in others) else None,
        first.intensity if all(other.intensity == first.intensity for other in others) else None,
    )
