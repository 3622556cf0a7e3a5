"""The page does in a browser what it promises, if there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from emopulse_ros.evaluation.assessment import Assessment
from emopulse_ros.evaluation.page import write_page
from emopulse_ros.facs import CODES

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--enable-logging=stderr")  # fmt: skip


def opened(path: Path, profile: Path) -> tuple[dict[str, str], str]:
    """What the page says of its self-test, and what the browser complained of."""
    assert BROWSER is not None
    done = subprocess.run(
        [BROWSER, *QUIET, f"--user-data-dir={profile}", "--dump-dom", f"{path.as_uri()}#selftest"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    root = re.search(r"<html[^>]*>", done.stdout)
    assert root is not None, done.stderr
    complaints = "\n".join(line for line in done.stderr.splitlines() if ":CONSOLE" in line)
    return dict(re.findall(r'data-([\w-]+)="([^"]*)"', root[0])), complaints


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
def test_the_timeline_is_drawn_and_zooms(
    assessed: Assessment, silent: Assessment, tmp_path: Path
) -> None:
    unknown = replace(assessed, name="</script>", truth=None, report=None)
    path = tmp_path / "page.html"
    write_page(path, [assessed, unknown, silent])
    said, complaints = opened(path, tmp_path / "profile")
    assert complaints == ""
    assert "errors" not in said
    lanes = len(CODES) + 5
    assert said["lanes"] == f"{lanes + 1} {lanes} {lanes + 1}"
    ink = [tuple(map(int, one.split("/"))) for one in said["ink"].split()]
    assert all(pixels > 10_000 for pixels, _ in ink)
    # Lines and fills blend into many colours; an empty recording has its frame alone.
    assert all(colours > 300 for _, colours in ink[:2])
    assert said["zoomed"] == "0.500 0.500 0.500"
    assert all(int(length) > 10 for length in said["tips"].split())
    assert said["clicked"].startswith("#r1@")
    assert float(said["shown"]) == pytest.approx(
        float(said["clicked"][4:].split("-")[0]), abs=0.002
    )
