"""The thread that works at the border of the process, beside the stream."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from rclpy.exceptions import InvalidHandle
from rclpy.impl.implementation_singleton import rclpy_implementation

RCLError = rclpy_implementation.RCLError

LOOK_S = 0.5
"""How often the courier's customers look at who is outside."""


class Customer(Protocol):
    """Who has something to do at the border."""

    def carry(self) -> None:
        """Take what waits across the border; called soon after :meth:`Courier.ring`."""
        ...

    def look(self) -> None:
        """See who has come and gone outside; called twice a second."""
        ...

    def destroy(self) -> None:
        """Leave; called when the node is gone without having done so."""
        ...


class Courier:
    """Works for its customers in a thread that lives while there is one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bell = threading.Event()
        self._customers: tuple[Customer, ...] = ()
        self._thread: threading.Thread | None = None

    def hire(self, customer: Customer) -> None:
        """Begin to work for a customer."""
        with self._lock:
            self._customers = (*self._customers, customer)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="courier", daemon=True)
                self._thread.start()

    def dismiss(self, customer: Customer) -> None:
        """Stop working for a customer; what it is doing for it now may still come to its end."""
        with self._lock:
            self._customers = tuple(other for other in self._customers if other is not customer)
        self._bell.set()

    def ring(self) -> None:
        """Say that something waits to be carried."""
        self._bell.set()

    def _work(self) -> None:
        next_look = time.monotonic() + LOOK_S
        while True:
            rang = self._bell.wait(max(0.0, next_look - time.monotonic()))
            self._bell.clear()
            with self._lock:
                customers = self._customers
                if not customers:
                    self._thread = None
                    return
            if rang:
                for customer in customers:
                    customer.carry()
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + LOOK_S
                for customer in customers:
                    _look(customer)


def _look(customer: Customer) -> None:
    try:
        customer.look()
    except (InvalidHandle, RCLError):
        # Its node was destroyed, or its context shut down.
        customer.destroy()
