"""Packages of the system: installed where that can be done unasked, left out where not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap import debian
from bootstrap.ground import Ground
from bootstrap.ros import Ros

Command = Callable[..., Path]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Makes commands, of which this machine has no others but a shell and ``timeout``.

    Each writes down how it was called.
    """
    folder = tmp_path / "commands"
    folder.mkdir()
    for name in ("sh", "timeout", "env"):
        (folder / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(folder))
    calls = tmp_path / "calls"

    def make(name: str, does: str = "exit 0") -> Path:
        (folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{calls}\n{does}\n')
        (folder / name).chmod(0o755)
        return calls

    return make


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    ground = Ground(tmp_path, Ros({}))
    ground.ledger.mkdir(parents=True)
    return ground


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def systems_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's Python is of our version."""
    said = debian._said

    def with_ours(*command: str) -> str | None:
        return said(
            sys.executable if command[0] == "/usr/bin/python3" else command[0], *command[1:]
        )

    monkeypatch.setattr(debian, "_said", with_ours)


def apt(calls: Path) -> list[str]:
    """How apt-get was called."""
    return [line for line in calls.read_text().splitlines() if line.startswith("apt-get")]


@pytest.mark.usefixtures("command")
def test_a_machine_without_apt_is_left_alone(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    debian.install_aravis(ground)
    assert "left out, for there is no apt-get" in capsys.readouterr().err


def test_what_is_there_is_not_touched(ground: Ground, command: Command) -> None:
    command("apt-get")
    installed = "\n".join(["echo install ok installed"] * 3)
    calls = command("dpkg-query", installed)
    debian.install_aravis(ground)
    assert apt(calls) == []


@pytest.mark.usefixtures("systems_python")
def test_nobody_is_asked_for_a_password(
    ground: Ground,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    command("apt-get")
    command("dpkg-query", "exit 1")
    calls = command("sudo", "exit 1")
    debian.install_aravis(ground)
    assert "sudo asks for a password" in capsys.readouterr().err
    assert "sudo -n true" in calls.read_text()
    assert apt(calls) == []


@pytest.mark.usefixtures("root", "systems_python")
def test_they_are_fetched_first_and_then_installed(ground: Ground, command: Command) -> None:
    command("dpkg-query", "echo deinstall ok config-files")
    calls = command("apt-get")
    debian.install_aravis(ground)
    fetch, install = apt(calls)
    assert "--download-only gir1.2-aravis-0.8 python3-gi aravis-tools" in fetch
    assert "--no-download gir1.2-aravis-0.8 python3-gi aravis-tools" in install


@pytest.mark.usefixtures("root", "systems_python")
def test_a_list_that_is_out_of_date_is_brought_up_to_date_once(
    ground: Ground, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    command("dpkg-query", "exit 1")
    calls = command("apt-get", '[ "$1" = update ]')
    debian.install_aravis(ground)
    assert [call.split()[1] for call in apt(calls)] == ["install", "update", "install"]
    assert "apt-get could not, see" in capsys.readouterr().err


@pytest.mark.usefixtures("root")
def test_a_python_that_is_not_the_systems_has_no_use_for_it(
    ground: Ground, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("dpkg-query", "exit 1")
    calls = command("apt-get")
    monkeypatch.setattr(sys, "version_info", (3, 99, 0))
    debian.install_aravis(ground)
    assert apt(calls) == []
    assert "and this is 3.99" in str(debian.obstacle())
