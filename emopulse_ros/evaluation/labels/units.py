"""Action units as labels name them."""

from __future__ import annotations

import re

from emopulse_ros.evaluation.labels.timed import LabelError

_UNIT = re.compile(r"(?:AU)?\s*[LRB]?\s*(\d{1,2})\s*[A-E]?", re.IGNORECASE)


def units_of(text: str, where: str) -> tuple[int, ...]:
    """FACS codes out of ``AU4``, ``4+7``, ``L12 R14A``, ``1, 2``; sides and intensity are left out.

    :raises LabelError: if a part of the text is no action unit; ``where`` it stands goes into it.
    """
    codes = []
    for part in filter(None, re.split(r"[+,;\s]+", text.strip())):
        found = _UNIT.fullmatch(part)
        if found is None or not 1 <= int(found[1]) <= 98:
            raise LabelError(f"{where}: '{part}' is no action unit; write FACS codes such as 4+7")
        codes.append(int(found[1]))
    return tuple(codes)
