from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emopulse_ros.transport.ring import Ring


def test_a_ring_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="depth of a ring is 0"):
        Ring[int](0)


@given(
    st.integers(1, 5),
    st.booleans(),
    st.lists(st.sampled_from(["push", "take", "take an even one", "more", "clear"]), max_size=60),
)
def test_a_ring_keeps_the_newest_in_order_and_counts_the_rest(
    depth: int, newest_first: bool, doings: list[str]
) -> None:
    ring: Ring[int] = Ring(depth, newest_first=newest_first)
    model: deque[int] = deque(maxlen=depth)
    lost = number = 0
    reading = False
    for doing in doings:
        if doing == "push":
            if len(model) == depth:
                lost += depth if newest_first else 1
                if newest_first:
                    model.clear()
            model.append(number)
            assert ring.push(number) is (not reading)
            reading = True
            number += 1
        elif doing == "take":
            assert ring.take() == (model.popleft() if model else None)
        elif doing == "take an even one":
            suits = bool(model) and model[0] % 2 == 0
            assert ring.take(lambda item: item % 2 == 0) == (model.popleft() if suits else None)
        elif doing == "more":
            reading = bool(model)
            assert ring.has_more() is reading
        else:
            model.clear()
            ring.clear()
        assert len(ring) == len(model)
        assert ring.overwritten == lost
