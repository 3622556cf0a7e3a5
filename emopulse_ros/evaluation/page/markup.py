"""Pieces of HTML: text is escaped here, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any


def text(value: object) -> str:
    """Text as HTML; bytes of a file name that are no UTF-8 become visible."""
    return escape(str(value).encode("utf-8", "backslashreplace").decode("utf-8"))


def counted(number: int, what: str) -> str:
    """A number of things: ``1 recording``, ``2 recordings``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def inert(data: object) -> str:
    """JSON that may stand in a script element: nothing in it can end the element."""
    written = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def table(
    caption: str, head: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]], kind: str = ""
) -> str:
    """A table; each row has attributes of its own, and its cells are HTML.

    The first cell names the row.
    """
    names = "".join(f'<th scope="col">{text(name)}</th>' for name in head)
    body = "".join(
        f'<tr{attributes}><th scope="row">{cells[0]}</th>'
        + "".join(f"<td>{cell}</td>" for cell in cells[1:])
        + "</tr>\n"
        for attributes, cells in rows
    )
    return (
        f'<div class="{f"wide {kind}".strip()}"><table><caption>{text(caption)}</caption>'
        f"<thead><tr>{names}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )


def listing(entries: Mapping[str, Any]) -> str:
    """Names and what they stand for."""
    items = "".join(f"<dt>{text(key)}</dt><dd>{text(value)}</dd>" for key, value in entries.items())
    return f"<dl>{items}</dl>" if items else ""


def bar(written: str, share: float) -> str:
    """A figure with a bar behind it, full at 1; none where it is undefined."""
    width = 0.0 if share != share else 100.0 * min(max(share, 0.0), 1.0)
    return f'<span class="bar" style="--w:{width:.0f}%">{written}</span>'
