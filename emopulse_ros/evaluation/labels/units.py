"""Action units as labels name them."""

from __future__ import annotations

from emopulse_ros.evaluation.au_string import parse_units
from emopulse_ros.evaluation.labels.timed import LabelError


def units_of(text: str, where: str) -> tuple[int, ...]:
    """FACS codes out of ``AU4``, ``4+7``, ``L12 R14A``, ``1, 2``; sides and intensity are left out.

    :raises LabelError: if a part of the text is no action unit, or left undecided; ``where`` it
        stands goes into the sentence.
    """
    if not text.strip():
        return ()
    try:
        units = parse_units(text)
    except ValueError as error:
        raise LabelError(f"{where}: {error}") from error
    if units.undecided:
        raise LabelError(f"{where}: '{text}' leaves open which unit it was; a label names them")
    return tuple(units.codes)
