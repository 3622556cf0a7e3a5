"""The thread that carries items across the border of the process, beside the stream."""

from __future__ import annotations

import threading
import time
from typing import Protocol

HEAD_START_S = 0.0002
"""How much earlier subscriptions of this process have an item than its message is made."""


class Customer(Protocol):
    """Who has something to be carried."""

    def carry(self) -> None:
        """Take one item across the border; called soon after :meth:`Courier.ring`."""
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
        while True:
            self._bell.wait()
            # Filling a message keeps the interpreter to itself: first those inside have their turn.
            time.sleep(HEAD_START_S)
            self._bell.clear()
            with self._lock:
                customers = self._customers
                if not customers:
                    self._thread = None
                    return
            for customer in customers:
                customer.carry()
