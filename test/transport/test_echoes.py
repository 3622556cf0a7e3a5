"""What is sent out and comes back, against a model that counts."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from emopulse_ros.transport.echoes import REMEMBERED, Echoes

READERS = ("first", "second")
doings = st.lists(
    st.tuples(
        st.sampled_from(["begin", "end", "send", "hear"]),
        st.sampled_from(READERS),
        st.integers(0, 3),
    ),
    max_size=60,
)


@given(doings)
def test_each_message_is_an_echo_as_often_as_it_was_sent_while_listening(
    doings: list[tuple[str, str, int]],
) -> None:
    echoes = Echoes()
    listening: set[str] = set()
    owed: Counter[tuple[str, int]] = Counter()
    for doing, reader, identity in doings:
        if doing == "begin":
            echoes.begin(reader, ())
            listening.add(reader)
        elif doing == "end":
            echoes.end(reader)
            listening.discard(reader)
            owed = Counter({key: n for key, n in owed.items() if key[0] != reader})
        elif doing == "send":
            echoes.expect("writer", identity, READERS)
            owed.update((other, identity) for other in listening)
        else:
            assert echoes.is_echo(identity, reader) is (owed[reader, identity] > 0)
            owed[reader, identity] = max(0, owed[reader, identity] - 1)


def test_what_the_middleware_replays_is_an_echo_too() -> None:
    echoes = Echoes()
    echoes.keep("writer", 2)
    for identity in range(3):
        echoes.expect("writer", identity, READERS)
    echoes.begin("first", ["writer"])
    assert [echoes.is_echo(identity, "first") for identity in range(3)] == [False, True, True]
    echoes.end("first")
    echoes.forget("writer")
    echoes.begin("first", ["writer"])
    assert not echoes.is_echo(2, "first")


def test_what_never_comes_back_is_forgotten_in_the_end() -> None:
    echoes = Echoes()
    echoes.begin("first", ())
    for identity in range(REMEMBERED + 1):
        echoes.expect("writer", identity, ["first"])
    assert not echoes.is_echo(0, "first")
    assert echoes.is_echo(1, "first")
