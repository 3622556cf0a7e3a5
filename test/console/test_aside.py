"""What is written to standard error while a picture is drawn."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import time

PROGRAM = """
import os, sys
from emopulse_ros.console.display import Display
from emopulse_ros.console.tally import Inbox, Tally

display = Display(Tally(Inbox()), "title")
display.update("drawn once")
os.write(2, b"a library is worried\\nand a second ")
display.update("drawn twice")
print("line", file=sys.stderr)
display.update("drawn again")
os.write(2, b"the last word\\n")
os.write(2, b"and a half")
display.close()
print(" is told after it", file=sys.stderr)
"""


def on_a_terminal(program: str) -> str:
    """What a Python program shows on a terminal of 100 columns and 40 rows."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    environment = os.environ | {"TERM": "xterm", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    shown = b""
    end = time.monotonic() + 60.0
    while time.monotonic() < end:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert child.wait(10.0) == 0
    return shown.decode().replace("\r\n", "\n")


def test_it_comes_above_the_picture_and_what_is_left_below() -> None:
    shown = on_a_terminal(PROGRAM)
    first, second, third, after = (
        shown.index(text)
        for text in ("a library is worried", "and a second line", "drawn again", "the last word")
    )
    assert shown.index("drawn once") < first < shown.index("drawn twice") < second < third < after
    # Where the picture was, and not into it.
    assert shown[:first].endswith("F\x1b[J")
    assert shown.endswith("the last word\nand a half is told after it\n")
