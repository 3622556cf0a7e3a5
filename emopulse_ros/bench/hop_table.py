"""What was measured of hops, for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]

HEAD = (
    f"{'payload':8}{'path':19}{'subs':>5}{'outside':>8}{'median ms':>11}{'p99 ms':>9}"
    f"{'times':>8}{'cores':>7}{'KB copied':>11}{'arrived':>9}{'Hz':>7}"
)
"""Of the table; ``times`` is the median over that of zero-copy with as many subscribers."""


def as_line(row: Row, rows: Sequence[Row]) -> str:
    """A line of the table for people; ``rows`` are those measured so far."""
    alike = ("payload", "subscribers", "outside_subscribers")
    first = next(
        (r for r in rows if r["path"] == "zero_copy" and all(r[k] == row[k] for k in alike)), row
    )
    median, p99 = row["hop_ms"]["median"], row["hop_ms"]["p99"]
    times = median / first["hop_ms"]["median"] if median and first["hop_ms"]["median"] else None
    return (
        f"{row['payload']:8}{row['path']:19}{row['subscribers']:>5}"
        f"{row['outside_subscribers']:>8}{_told(median, 3):>11}{_told(p99, 3):>9}"
        f"{_told(times, 1):>8}{row['cpu_cores']:>7.2f}"
        f"{row['bytes_copied_per_frame'] / 1e3:>11.0f}{row['arrived']:>9.1%}{row['rate_hz']:>7.0f}"
    )


def _told(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
