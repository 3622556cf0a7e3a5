"""The thread that sees who comes and goes outside the process."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any, Protocol

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.exceptions import InvalidHandle
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.logging import get_logger

try:
    from rclpy.event_handler import PublisherEventCallbacks, UnsupportedEventTypeError
except ImportError:
    # Its name until Humble, where there is no matched event yet.
    from rclpy.qos_event import PublisherEventCallbacks, UnsupportedEventTypeError

RCLError = rclpy_implementation.RCLError

LOOK_S = 0.5
"""How often everybody looks, also for what no event tells: new publishers, nodes that are gone."""


class Looker(Protocol):
    """Who wants to know."""

    def look(self) -> None:
        """See who has come and gone outside."""
        ...

    def destroy(self) -> None:
        """Leave; called when the node is gone without having done so."""
        ...


class Watch:
    """Has its lookers look twice a second, and at once when the middleware tells of a match.

    Events are waited for here and not in the executors of the nodes: the EventsExecutor of rclpy
    7.1.6 crashes the process when a publisher is destroyed just as a matched event of it arrives.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[Looker, Any] = {}
        self._guard: Any = None

    def begin(self, looker: Looker, context: Any, publisher: Any = None) -> None:
        """Look for somebody, with an eye on the subscriptions that match a ROS publisher."""
        event = None if publisher is None else _matched_event(publisher)
        with self._lock:
            self._watched = {**self._watched, looker: event}
            if self._guard is None:
                self._guard = rclpy_implementation.GuardCondition(context.handle)
                threading.Thread(
                    target=self._work, args=(context.handle,), name="watch", daemon=True
                ).start()
            else:
                self._guard.trigger_guard_condition()

    def end(self, looker: Looker) -> None:
        """Look for somebody no more."""
        with self._lock:
            watched = dict(self._watched)
            event = watched.pop(looker, None)
            self._watched = watched
            if self._guard is not None:
                self._guard.trigger_guard_condition()
        if event is not None:
            event.destroy()

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
                lookers = _wait(context, guard, watched, max(0.0, next_look - time.monotonic()))
            except RCLError:
                # The context was shut down, and the lookers with it.
                lookers, next_look = [], 0.0
                time.sleep(0.01)
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + LOOK_S
                lookers = list(watched)
            for looker in lookers:
                _look(looker)


def _matched_event(publisher: Any) -> Any:
    """What becomes ready when a subscription comes or goes; None where rclpy has no such event."""
    try:
        wanted = PublisherEventCallbacks(matched=lambda _: None, use_default_callbacks=False)
        group = ReentrantCallbackGroup()
        (event,) = wanted.create_event_handlers(group, publisher.handle, publisher.topic_name)
    except (UnsupportedEventTypeError, TypeError):
        return None
    return event


def _wait(context: Any, guard: Any, watched: Mapping[Looker, Any], seconds: float) -> list[Looker]:
    """Wait for events; return whom they are for."""
    with ExitStack() as held:
        held.enter_context(guard)
        waiting = []
        for looker, event in watched.items():
            if event is not None:
                with suppress(InvalidHandle):
                    held.enter_context(event)
                    waiting.append((looker, event))
        wait_set = rclpy_implementation.WaitSet(0, 1, 0, 0, 0, len(waiting), context)
        wait_set.clear_entities()
        wait_set.add_guard_condition(guard)
        for _, event in waiting:
            event.add_to_wait_set(wait_set)
        wait_set.wait(int(1e9 * seconds))
        ready = [(looker, event) for looker, event in waiting if event.is_ready(wait_set)]
        for _, event in ready:
            # One that was meanwhile destroyed is told of for the last time.
            with suppress(InvalidHandle):
                event.take_data()
        return [looker for looker, _ in ready]


def _look(looker: Looker) -> None:
    try:
        looker.look()
    except (InvalidHandle, RCLError):
        # Its node was destroyed, or its context shut down.
        with suppress(InvalidHandle, RCLError):
            looker.destroy()
    except Exception as error:
        # The others are still to be looked after.
        trace = "".join(traceback.format_exception(error))
        get_logger("watch").error(f"cannot look after a topic:\n{trace}")
