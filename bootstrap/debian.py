"""Packages of Debian and Ubuntu that pip does not have, and that only tests need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from bootstrap.failure import SetupError
from bootstrap.ground import Ground

ARAVIS = ("gir1.2-aravis-0.8", "python3-gi", "aravis-tools")
"""What reads GigE Vision cameras, and a camera of that kind that needs no hardware."""

# Nothing waits long for a network that is not there, or for another apt. What is half fetched can
# be left at any moment, what is half installed cannot. dpkg looks for its tools in root's PATH.
INSTALL = """
unset LD_LIBRARY_PATH PYTHONPATH
export DEBIAN_FRONTEND=noninteractive PATH="$PATH:/usr/sbin:/sbin"
patience='-o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o DPkg::Lock::Timeout=10'
install="install --yes --no-install-recommends --no-upgrade $patience"
fetch() { timeout 180 apt-get $install --download-only "$@"; }
fetch "$@" || { timeout 60 apt-get update $patience && fetch "$@"; }
apt-get $install --no-download "$@"
"""


def install_aravis(ground: Ground) -> None:
    """Install Aravis where that can be done unasked; elsewhere its tests skip, and say how to."""
    why = obstacle()
    if why is None:
        try:
            ground.run("aravis", *_as_root(), "sh", "-ec", INSTALL, "sh", *ARAVIS)
        except SetupError:
            why = f"apt-get could not, see {ground.ledger / 'aravis.log'}"
    if why:
        print(f" left out, for {why} ...", end="", file=sys.stderr, flush=True)


def obstacle() -> str | None:
    """Why Aravis cannot be installed unasked: empty if it is there, None if it can be."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-query")):
        return "there is no apt-get"
    state = _said("dpkg-query", "--show", r"--showformat=${Status}\n", *ARAVIS)
    if state is not None and set(state.splitlines()) == {"install ok installed"}:
        return ""
    ours = "{}.{}".format(*sys.version_info)
    command = "import sys; print('{}.{}'.format(*sys.version_info))"
    if _said("/usr/bin/python3", "-c", command) != f"{ours}\n":
        return f"python3-gi is for the system's Python only, and this is {ours}"
    if os.geteuid() != 0 and _said("sudo", "-n", "true") is None:
        return "that takes root, and sudo asks for a password"
    return None


def _as_root() -> tuple[str, ...]:
    return () if os.geteuid() == 0 else ("sudo", "-n")


def _said(*command: str) -> str | None:
    """What a command prints; None if it is not there or fails."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
