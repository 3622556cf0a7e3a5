"""Work done ahead, in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from emopulse_ros.ahead import Ahead


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "ahead"]


def test_the_same_items_come_in_the_same_order() -> None:
    items = [None, *range(100), None]
    assert list(Ahead(iter(items), 3)) == items
    assert threads() == []


def test_items_are_made_while_the_last_one_is_used() -> None:
    made = []

    def make() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            yield number

    items = Ahead(make(), 2)
    assert next(items) == 0
    end = time.monotonic() + 5.0
    while len(made) < 4 and time.monotonic() < end:
        time.sleep(0.001)
    # One is used, two wait, and one more is in the maker's hand.
    assert made == [0, 1, 2, 3]
    items.close()
    assert threads() == []


def test_what_making_an_item_raises_is_raised_where_it_is_read() -> None:
    def make() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    items = Ahead(make())
    assert next(items) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(items)
    assert threads() == []
