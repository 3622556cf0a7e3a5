"""Action units as coders write them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emopulse_ros.evaluation.au_string import (
    CodedUnit,
    CodedUnits,
    parse_units,
    write_units,
)

U = CodedUnit


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("4", (U(4),)),
        ("AU4", (U(4),)),
        ("au04", (U(4),)),
        ("L4+12", (U(4, "L"), U(12))),
        ("4+L10", (U(4), U(10, "L"))),
        ("R14A", (U(14, "R", "A"),)),
        ("r14a", (U(14, "R", "A"),)),
        ("LAU14", (U(14, "L"),)),
        ("AUL14", (U(14, "L"),)),
        ("5B", (U(5, None, "B"),)),
        ("4 + 7", (U(4), U(7))),
        ("1 2", (U(1), U(2))),
        ("AU1 AU4C", (U(1), U(4, None, "C"))),
        ("1,2, 4", (U(1), U(2), U(4))),
        ("1，2、4", (U(1), U(2), U(4))),  # noqa: RUF001
        ("４＋７", (U(4), U(7))),  # noqa: RUF001
        ("L4+R4", (U(4, "L"), U(4, "R"))),
        ("4+4", (U(4),)),
        ("", ()),
        ("  ", ()),
    ],
)
def test_units_keep_side_and_intensity(text: str, units: tuple[CodedUnit, ...]) -> None:
    assert parse_units(text) == CodedUnits(units)


@pytest.mark.parametrize(
    ("text", "certain", "undecided"),
    [
        ("12 or 14", (), (12, 14)),
        ("12or14", (), (12, 14)),
        ("AU12 OR AU14", (), (12, 14)),
        ("4 + 12 or 14", (U(4),), (12, 14)),
        ("12 or 14 + 4", (U(4),), (12, 14)),
        ("12 or 14 or 15", (), (12, 14, 15)),
        # What the alternatives agree on is certain.
        ("L14 or R14", (U(14),), ()),
        ("R14A or R14B", (U(14, "R"),), ()),
        # A unit that is also coded without an alternative took part.
        ("12 + 12 or 14", (U(12),), (14,)),
    ],
)
def test_or_leaves_open_what_its_sides_differ_in(
    text: str, certain: tuple[CodedUnit, ...], undecided: tuple[int, ...]
) -> None:
    assert parse_units(text) == CodedUnits(certain, undecided)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("happy", "'happy' is not one"),
        ("4+?", r"'\?' is not one"),
        ("/", "'/' is not one"),
        ("4++7", r"'\+7' is not one"),
        ("4+", "nothing follows"),
        ("4 or", "nothing follows"),
        ("0", "FACS has no unit 0"),
        ("412", "FACS has no unit 412"),
        ("4F", "'4F' is not one"),
        ("L", "'L' is not one"),
        ("4-7", "no '\\+' before '-7'"),
    ],
)
def test_what_is_no_list_of_units_is_refused_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        parse_units(text)
    assert str(caught.value).startswith(f"'{text}' is no list of action units")


units = st.builds(
    CodedUnit,
    st.integers(1, 98),
    st.sampled_from([None, "L", "R"]),
    st.sampled_from([None, "A", "B", "C", "D", "E"]),
)


@given(st.lists(units, unique=True))
def test_what_is_written_is_read_again(coded: list[CodedUnit]) -> None:
    assert parse_units(write_units(coded)) == CodedUnits(tuple(coded))


@given(st.lists(units, min_size=1, unique=True), st.sampled_from([" + ", ",", "，", "  ", "、"]))  # noqa: RUF001
def test_it_does_not_matter_what_stands_between(coded: list[CodedUnit], sign: str) -> None:
    assert parse_units(sign.join(f"{unit}" for unit in coded)).certain == tuple(coded)


@given(st.text(alphabet="LRAU0123456789+, or", max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        read = parse_units(text)
        assert not set(read.codes) & set(read.undecided)
