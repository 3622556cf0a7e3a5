"""Facial action units (AUs): the one list from which every array of the package takes its order.

Codes, names and muscles follow Ekman, Friesen & Hager, *Facial Action Coding System* (2002).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ActionUnit:
    """One action unit of FACS.

    ``sided`` says whether the left and the right half of the face can do it alone.
    """

    code: int
    name: str
    muscle: str
    sided: bool

    @property
    def label(self) -> str:
        """The name people write: ``AU04``, ``AU12``."""
        return f"AU{self.code:02d}"


ACTION_UNITS: tuple[ActionUnit, ...] = (
    ActionUnit(1, "inner brow raiser", "frontalis, medial part", True),
    ActionUnit(2, "outer brow raiser", "frontalis, lateral part", True),
    ActionUnit(4, "brow lowerer", "corrugator and depressor supercilii", True),
    ActionUnit(5, "upper lid raiser", "levator palpebrae superioris", True),
    ActionUnit(6, "cheek raiser", "orbicularis oculi, orbital part", True),
    ActionUnit(7, "lid tightener", "orbicularis oculi, palpebral part", True),
    ActionUnit(9, "nose wrinkler", "levator labii superioris alaeque nasi", True),
    ActionUnit(10, "upper lip raiser", "levator labii superioris", True),
    ActionUnit(12, "lip corner puller", "zygomaticus major", True),
    ActionUnit(14, "dimpler", "buccinator", True),
    ActionUnit(15, "lip corner depressor", "depressor anguli oris", True),
    ActionUnit(17, "chin raiser", "mentalis", False),
    ActionUnit(20, "lip stretcher", "risorius", True),
    ActionUnit(25, "lips part", "depressor labii inferioris", False),
    ActionUnit(45, "blink", "orbicularis oculi, relaxed levator", True),
)
"""The units EmoPulse detects, in the order of every array that has one entry per unit."""

CODES: tuple[int, ...] = tuple(unit.code for unit in ACTION_UNITS)
"""FACS codes in that order."""

INDEX: dict[int, int] = {code: index for index, code in enumerate(CODES)}
"""Where a FACS code stands in that order."""


def in_order(codes: Iterable[int]) -> tuple[int, ...]:
    """Each of these codes once, in that order; those EmoPulse does not know come last."""
    return tuple(sorted(set(codes), key=lambda code: (INDEX.get(code, len(CODES)), code)))


BLINK = 45
"""The unit that every face shows several times a minute and that is no expression."""


def expressive(codes: Iterable[int] = CODES) -> list[bool]:
    """Which of these units are expression: all but the blink."""
    return [code != BLINK for code in codes]


MOUTH: frozenset[int] = frozenset({10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 27, 28})
"""The units of the lower face, which speech moves too; some of them EmoPulse does not detect."""

DRAWN_ALONG: frozenset[int] = frozenset({5, 6, 7, 9})
"""Units of lids, cheeks and nose, whose skin a speaking mouth draws along."""


def unit(code: int) -> ActionUnit:
    """Return the action unit with this FACS code.

    :raises ValueError: if EmoPulse does not know the code.
    """
    if code not in INDEX:
        raise ValueError(f"AU{code} is not one of the action units EmoPulse knows: {CODES}")
    return ACTION_UNITS[INDEX[code]]
