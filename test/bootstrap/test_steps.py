"""Steps of the set-up: done once, again when something changed, mended when interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.failure import SetupError
from bootstrap.steps import Ledger, Step, digest


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path / "venv" / "ledger")
    made.start_afresh(tmp_path / "venv")
    return made


def test_a_step_is_done_once_and_again_when_its_key_changes(ledger: Ledger) -> None:
    done: list[str] = []

    def step(name: str, key: str) -> Step:
        return Step(name, name, key, lambda: done.append(name + key))

    for first, second in (("1", "1"), ("1", "1"), ("1", "2"), ("1", "2"), ("2", "2")):
        ledger.run([step("a", first), step("b", second)])
    assert done == ["a1", "b1", "b2", "a2"]


def test_a_failed_step_is_tried_again_and_stops_the_rest(ledger: Ledger) -> None:
    done: list[str] = []

    def work() -> None:
        done.append("tried")
        if len(done) == 1:
            raise SetupError("no network")

    steps = [Step("a", "a", "1", work, fragile=True), Step("b", "b", "1", lambda: done.append("b"))]
    with pytest.raises(SetupError, match="no network"):
        ledger.run(steps)
    assert done == ["tried"]
    assert not ledger.wrecked()
    ledger.run(steps)
    assert done == ["tried", "tried", "b"]


@pytest.mark.parametrize("fragile", [True, False])
def test_a_killed_step_is_not_done_and_a_fragile_one_leaves_wreckage(
    ledger: Ledger, fragile: bool
) -> None:
    def killed() -> None:
        raise KeyboardInterrupt

    step = Step("a", "a", "1", killed, fragile=fragile)
    with pytest.raises(KeyboardInterrupt):
        ledger.run([step])
    assert not ledger.done(step)
    assert ledger.wrecked() == fragile


def test_starting_afresh_forgets_everything(ledger: Ledger, tmp_path: Path) -> None:
    step = Step("a", "a", "1", lambda: None)
    ledger.run([step])
    (tmp_path / "venv" / "leftover").touch()
    ledger.start_afresh(tmp_path / "venv")
    assert not ledger.done(step)
    assert not (tmp_path / "venv" / "leftover").exists()


def test_a_digest_sees_contents_names_and_removals_but_no_caches(tmp_path: Path) -> None:
    folder = tmp_path / "msg"
    folder.mkdir()
    (folder / "A.msg").write_text("uint8 a")
    digests = [digest(folder)]
    (folder / "A.msg").write_text("uint8 b")
    digests.append(digest(folder))
    (folder / "A.msg").rename(folder / "B.msg")
    digests.append(digest(folder))
    (folder / "B.msg").unlink()
    digests.append(digest(folder))
    assert len(set(digests)) == 4
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "a.pyc").write_text("")
    assert digest(folder) == digests[-1]
