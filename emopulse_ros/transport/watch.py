"""The thread that sees who comes and goes outside the process."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any, Protocol

from rclpy.exceptions import InvalidHandle
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.logging import get_logger

from emopulse_ros.transport.events import Events

RCLError = rclpy_implementation.RCLError

LOOK_S = 0.5
"""How often everybody looks, also for what no event tells: new publishers, nodes that are gone."""

JOIN_S = 2.0
"""Longest wait for the thread to end."""


class Looker(Protocol):
    """Who wants to know."""

    def look(self) -> None:
        """See who has come and gone outside."""
        ...

    def destroy(self) -> None:
        """Leave; called when the node is gone without having done so."""
        ...


class Watch:
    """Has its lookers look twice a second, and waits for their events.

    Events are waited for here and not in the executors of the nodes: the EventsExecutor of rclpy
    7.1.6 crashes the process when an entity is destroyed just as an event of it arrives.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[Looker, Events] = {}
        self._guard: Any = None
        self._thread: threading.Thread | None = None

    def begin(self, looker: Looker, context: Any, events: Events = ()) -> None:
        """Look for somebody and wait for these events, no others any more."""
        with self._lock:
            before = self._watched.get(looker, ())
            self._watched = {**self._watched, looker: events}
            if self._guard is None:
                self._guard = rclpy_implementation.GuardCondition(context.handle)
                self._thread = threading.Thread(
                    target=self._work, args=(context.handle,), name="watch", daemon=True
                )
                self._thread.start()
            else:
                self._guard.trigger_guard_condition()
        for event in before:
            event.destroy()

    def end(self, looker: Looker) -> None:
        """Look for somebody no more."""
        with self._lock:
            watched = dict(self._watched)
            before = watched.pop(looker, ())
            self._watched = watched
            if self._guard is not None:
                self._guard.trigger_guard_condition()
        for event in before:
            event.destroy()

    def join(self) -> None:
        """Wait until the thread has ended, which it does once everybody has left."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(JOIN_S)

    def _work(self, context: Any) -> None:
        next_look = time.monotonic() + LOOK_S
        while True:
            with self._lock:
                watched, guard = self._watched, self._guard
                if not watched:
                    self._guard = None
                    guard.destroy_when_not_in_use()
                    return
            try:
                told = _wait(context, guard, watched, max(0.0, next_look - time.monotonic()))
            except InvalidHandle:
                # An event was destroyed just now, and whose it was has left.
                told = []
                time.sleep(0.001)
            except RCLError:
                # The context was shut down, and the lookers with it.
                told, next_look = [], 0.0
                time.sleep(0.01)
            for looker, tell in told:
                _do(looker, tell)
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + LOOK_S
                for looker in watched:
                    _do(looker, looker.look)


def _wait(
    context: Any, guard: Any, watched: Mapping[Looker, Events], seconds: float
) -> list[tuple[Looker, Callable[[], None]]]:
    """Wait for events; return whom they are for and what is to be called."""
    with ExitStack() as held:
        held.enter_context(guard)
        waiting = []
        for looker, events in watched.items():
            for event in events:
                with suppress(InvalidHandle):
                    held.enter_context(event)
                    waiting.append((looker, event))
        wait_set = rclpy_implementation.WaitSet(0, 1, 0, 0, 0, len(waiting), context)
        wait_set.clear_entities()
        wait_set.add_guard_condition(guard)
        for _, event in waiting:
            event.add_to_wait_set(wait_set)
        wait_set.wait(int(1e9 * seconds))
        told: list[tuple[Looker, Callable[[], None]]] = []
        for looker, event in waiting:
            # One that was meanwhile destroyed is told of for the last time.
            with suppress(InvalidHandle):
                if event.is_ready(wait_set):
                    told.append((looker, partial(event.callback, event.take_data())))
        return told


def _do(looker: Looker, work: Callable[[], None]) -> None:
    try:
        work()
    except (InvalidHandle, RCLError):
        # Its node was destroyed, or its context shut down.
        with suppress(InvalidHandle, RCLError):
            looker.destroy()
    except Exception as error:
        # The others are still to be looked after.
        trace = "".join(traceback.format_exception(error))
        get_logger("watch").error(f"cannot look after a topic:\n{trace}")
