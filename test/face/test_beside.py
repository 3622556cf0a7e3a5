"""Work beside the stream: answered in stream time, or counted."""

from __future__ import annotations

import threading

import pytest

from emopulse_ros.face.beside import Beside


def test_a_replay_waits_for_its_answer() -> None:
    beside: Beside[int] = Beside(wait=True)
    gate = threading.Event()
    threading.Timer(0.05, gate.set).start()

    def question() -> int:
        gate.wait()
        return 42

    beside.ask(question)
    assert beside.take() == (True, 42)
    assert beside.late == 0
    beside.close()


def test_a_live_stream_counts_what_comes_too_late() -> None:
    beside: Beside[int] = Beside(wait=False)
    gate = threading.Event()

    def question() -> int:
        gate.wait()
        return 42

    beside.ask(question)
    assert beside.take() == (False, None)
    assert beside.late == 1
    assert beside.busy
    gate.set()
    beside.close()
    assert not beside.busy


def test_nothing_asked_nothing_answered() -> None:
    beside: Beside[int] = Beside(wait=True)
    assert beside.take() == (False, None)
    beside.close()


def test_an_error_comes_out_where_the_answer_would() -> None:
    beside: Beside[float] = Beside(wait=True)
    beside.ask(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        beside.take()
    beside.close()
