"""Plans that are kept: whole, for this machine, and nobody else's."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from emopulse_ros.detection import plan_cache
from emopulse_ros.detection.plan_cache import CacheError, PlanCache, PlanKey, cache_folder

KEY = PlanKey("TensorRT 10.3.0", "8.7", "Orin", "ab" * 32, 1)
PLAN = bytes(range(256)) * 40


@pytest.fixture
def cache(tmp_path: Path) -> PlanCache:
    return PlanCache(tmp_path / "new" / "engines")


def test_what_was_put_is_got_and_only_under_its_key(cache: PlanCache) -> None:
    assert cache.get(KEY) is None
    cache.put(KEY, PLAN)
    assert cache.get(KEY) == PLAN
    for other in (
        replace(KEY, tensorrt="TensorRT for RTX 10.3.0"),
        replace(KEY, tensorrt="TensorRT 10.3.1"),
        replace(KEY, capability="8.9"),
        replace(KEY, device="Thor"),
        replace(KEY, model_hash="cd" * 32),
        replace(KEY, faces=16),
    ):
        assert cache.get(other) is None, other
    cache.put(KEY, b"newer")
    assert cache.get(KEY) == b"newer"
    assert len(list(cache.folder.iterdir())) == 1


def test_folder_and_file_are_this_users_alone(cache: PlanCache) -> None:
    path = cache.put(KEY, PLAN)
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_a_folder_that_others_may_write_to_is_not_used(cache: PlanCache, mode: int) -> None:
    cache.put(KEY, PLAN)
    cache.folder.chmod(mode)
    with pytest.raises(CacheError, match="others may write to the folder"):
        cache.get(KEY)
    with pytest.raises(CacheError, match="others may write to the folder"):
        cache.put(KEY, PLAN)
    with pytest.raises(CacheError, match="others may write to the folder"):
        cache.kept()


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_plan_that_others_may_write_to_is_not_used(cache: PlanCache, mode: int) -> None:
    cache.put(KEY, PLAN).chmod(mode)
    with pytest.raises(CacheError, match="others may write to the plan"):
        cache.get(KEY)
    # Built anew it is a new file.
    cache.put(KEY, PLAN)
    assert cache.get(KEY) == PLAN


def test_what_belongs_to_another_user_is_not_used(
    cache: PlanCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.put(KEY, PLAN)
    own = os.geteuid()
    monkeypatch.setattr(plan_cache.os, "geteuid", lambda: own + 1)
    with pytest.raises(CacheError, match="belongs to another user"):
        cache.get(KEY)


def test_a_file_of_another_user_in_the_own_folder_is_not_used(cache: PlanCache) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to give a file away")
    os.chown(cache.put(KEY, PLAN), 12345, 12345)
    with pytest.raises(CacheError, match=r"the plan .* belongs to another user"):
        cache.get(KEY)


def test_links_lead_nowhere(cache: PlanCache, tmp_path: Path) -> None:
    path = cache.put(KEY, PLAN)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CacheError, match="cannot be opened"):
        cache.get(KEY)
    cache.folder.rename(tmp_path / "moved")
    cache.folder.symlink_to(tmp_path / "moved")
    with pytest.raises(CacheError, match="cannot be opened"):
        cache.get(KEY)


@pytest.mark.parametrize("size", [0, 1, 100, 400, len(PLAN), -1])
def test_a_truncated_plan_is_not_used(cache: PlanCache, size: int) -> None:
    path = cache.put(KEY, PLAN)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(CacheError, match=r"is not whole|does not say what it is for"):
        cache.get(KEY)
    assert cache.kept()[0].trouble


@pytest.mark.parametrize("place", [0, 20, -1, -5000])
def test_a_changed_byte_is_found(cache: PlanCache, place: int) -> None:
    path = cache.put(KEY, PLAN)
    content = bytearray(path.read_bytes())
    content[place] ^= 0x20
    path.write_bytes(content)
    with pytest.raises(CacheError):
        cache.get(KEY)


def test_a_plan_under_anothers_name_is_not_used(cache: PlanCache) -> None:
    other = replace(KEY, device="Thor")
    cache.put(other, PLAN).rename(cache.folder / KEY.file)
    with pytest.raises(CacheError, match="is for something else"):
        cache.get(KEY)
    assert "is for something else" in cache.kept()[0].trouble


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_not_waited_for(cache: PlanCache, kind: str) -> None:
    path = cache.put(KEY, PLAN)
    path.unlink()
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(CacheError, match=r"is no file|cannot be"):
        cache.get(KEY)


def test_a_write_that_fails_leaves_the_old_plan(
    cache: PlanCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.put(KEY, PLAN)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plan_cache.os, "fsync", full)
    with pytest.raises(CacheError, match="cannot be kept: No space left on device"):
        cache.put(KEY, b"newer")
    assert cache.get(KEY) == PLAN
    assert len(list(cache.folder.iterdir())) == 1


def test_a_cache_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="cannot be kept"):
        PlanCache(tmp_path / "file" / "engines").put(KEY, PLAN)


def test_what_is_kept_is_listed(cache: PlanCache) -> None:
    assert cache.kept() == []
    other = replace(KEY, model_hash="cd" * 32)
    for key in (KEY, other):
        cache.put(key, PLAN)
    (cache.folder / "note.txt").write_text("no plan")
    kept = cache.kept()
    assert {one.key for one in kept} == {KEY, other}
    assert all(one.size == len(PLAN) and not one.trouble for one in kept)


def test_the_folder_is_where_xdg_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "emopulse" / "engines"
    monkeypatch.setenv("HOME", "/home/robot")
    for elsewhere in ("", "relative/path"):
        monkeypatch.setenv("XDG_CACHE_HOME", elsewhere)
        assert cache_folder() == Path("/home/robot/.cache/emopulse/engines")
