"""What the proxies before PostgreSQL and Kafka have in common: a server that forwards each connection, and one trap."""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

CHUNK: Final = 65_536


class Link(Protocol):
    """One connection through a relay."""

    def ask(self) -> None:
        """In a thread: what the client says, to the server, until it ends."""

    def answer(self) -> None:
        """In a thread: what the server says, to the client, until it ends."""


class Relay(ABC):
    """Forwards to `target` by links that `_link` makes. `struck` is set when the trap has sprung, at the `nth` that is due;
    `on_strike` is called before the client learns of it."""

    def __init__(self, target: tuple[str, int], nth: int, on_strike: Callable[[], None] = lambda: None) -> None:
        self._target, self._nth, self._on_strike = target, nth, on_strike
        self._lock = threading.Lock()
        self._seen = 0
        self.struck = threading.Event()
        self._links: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    @abstractmethod
    def _link(self, client: socket.socket, server: socket.socket) -> Link: ...

    def close(self) -> None:
        """End it and all connections through it."""
        for link in (self._server, *self._links):
            shut(link)
            link.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                try:
                    server = socket.create_connection(self._target)
                except OSError:  # it is down: what the client sees of that is a closed connection
                    client.close()
                    continue
                for end in (client, server):  # else Nagle's algorithm waits 40 ms with each small message
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._links += [client, server]
                link = self._link(client, server)
                for pump in (link.ask, link.answer):
                    threading.Thread(target=pump, name="proxy-pump", daemon=True).start()

    def _count(self) -> bool:
        """One more of what is waited for; whether it is the one to strike at."""
        with self._lock:
            if self.struck.is_set():
                return False
            self._seen += 1
            return self._seen >= self._nth

    def strike(self) -> bool:
        """Spring the trap; False when another connection was quicker."""
        with self._lock:
            if self.struck.is_set():
                return False
            self.struck.set()
        self._on_strike()
        return True


def shut(link: socket.socket) -> None:
    """End a connection, in both directions; it may have ended."""
    with suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
