"""Lets Python find ROS 2 with nothing sourced.

The set-up copies this file into the virtual environment, where a .pth file imports it whenever
Python starts. It reads lines `VARIABLE=folder:folder` from the file beside it and puts folders that
are missing in front of the variable. The dynamic linker reads LD_LIBRARY_PATH once, when a process
begins, so when that changes Python starts itself anew, in the same process and with the same
arguments. Children inherit the variables and need not.
"""

import os
import sys

MARK = "_EMOPULSE_RESTARTED"


def complete(lines: "list[str]", environment: "os._Environ[str] | dict[str, str]") -> bool:
    """Add missing folders to the variables; true if the linker has to be told."""
    restart = False
    for line in lines:
        name, _, value = line.strip().partition("=")
        present = [entry for entry in environment.get(name, "").split(os.pathsep) if entry]
        missing = [entry for entry in value.split(os.pathsep) if entry and entry not in present]
        if missing:
            environment[name] = os.pathsep.join(missing + present)
            restart = restart or name == "LD_LIBRARY_PATH"
    return restart


def start() -> None:
    """Complete this process's environment, and start anew if that is called for."""
    with open(os.path.splitext(__file__)[0] + ".txt") as file:  # noqa: PTH122, PTH123
        restart = complete(file.readlines(), os.environ)
    # The wheels of ROS have a start of their own, which knows less; it is not needed any more.
    os.environ["_ROS_WHEELS_BOOTSTRAP_COMPLETE"] = "1"
    # The mark holds the process's number, which survives the restart and no fork: where something
    # strips LD_LIBRARY_PATH this ends after one round, and children still get their own.
    if restart and sys.executable and os.environ.pop(MARK, "") != str(os.getpid()):
        os.environ[MARK] = str(os.getpid())
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    os.environ.pop(MARK, None)
