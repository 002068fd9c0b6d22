"""A TCP proxy before Kafka that knows the protocol's frames: it cuts, kills, holds up or leaves unanswered a produce request."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from .relay import CHUNK, Link, Relay, shut

PRODUCE: Final = 0  # api key
_LENGTH: Final = 4
RELEASE_S: Final = 10.0


class KafkaFrames:
    """Cuts a byte stream, of either direction, into messages: a length, and so many bytes."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The whole messages, length and all, that `data` completes."""
        self._buffer += data
        while len(self._buffer) >= _LENGTH:
            size = _LENGTH + int.from_bytes(self._buffer[:_LENGTH], "big")
            if len(self._buffer) < size:
                return
            message, self._buffer = self._buffer[:size], self._buffer[size:]
            yield message


def api_key(request: bytes) -> int:
    """What a request is for."""
    return int.from_bytes(request[4:6], "big")


def asked(request: bytes) -> bytes:
    """The number by which the answer to this request names it."""
    return request[8:12]


def answered(answer: bytes) -> bytes:
    """The number of the request that this is the answer to."""
    return answer[4:8]


@dataclass(frozen=True)
class RequestTrap:
    """Strikes at the n-th produce request. `what`: "cut" it after a `share` of its bytes; "pass" it on; wait for its "answer",
    which is swallowed with the connection; "mute" the connection, so that no answer comes; or "hold" it up, with all that
    follows it, until it is released."""

    what: str
    nth: int
    share: float = 0.5


class KafkaProxy(Relay):
    """Forwards to a broker, with one trap."""

    def __init__(self, target: tuple[str, int], trap: RequestTrap, on_strike: Callable[[], None] = lambda: None) -> None:
        self.trap = trap
        self._held: _Link | None = None
        super().__init__(target, trap.nth, on_strike)

    def _link(self, client: socket.socket, server: socket.socket) -> Link:
        return _Link(self, client, server)

    def due(self, request: bytes) -> bool:
        """Whether this is the one to strike at."""
        return api_key(request) == PRODUCE and self._count()

    def hold(self, link: _Link) -> None:
        self._held = link

    def release(self) -> bool:
        """The broker gets what was held up, though its sender may be dead; whether it has answered in time."""
        return self._held is not None and self._held.release()


class _Link:
    """One connection and its two pumps."""

    def __init__(self, proxy: KafkaProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._swallowed = b""  # the number of the answer that nobody gets
        self._held: list[bytes] = []
        self._mute = threading.Event()  # the client hears no more
        self._holding = threading.Event()
        self._ended = threading.Event()  # the client has no more to say
        self._answered = threading.Event()

    def ask(self) -> None:
        frames = KafkaFrames()
        try:
            while data := self._client.recv(CHUNK):
                for request in frames.feed(data):
                    if self._holding.is_set():
                        self._held.append(request)
                    elif not self._forward(request):
                        return self._cut()
            if not self._holding.is_set():
                self._server.shutdown(socket.SHUT_WR)  # what the broker still answers is for the other pump
        except OSError:
            if not self._holding.is_set():
                self._cut()
        finally:
            self._ended.set()
        return None

    def _forward(self, request: bytes) -> bool:
        """False when the connection is to be cut."""
        if not self._proxy.due(request):
            self._server.sendall(request)
            return True
        match self._proxy.trap.what:
            case "cut":
                if self._proxy.strike():
                    self._server.sendall(request[: max(1, int(len(request) * self._proxy.trap.share))])
                    return False
                self._server.sendall(request)
            case "pass":
                self._server.sendall(request)
                self._proxy.strike()
            case "answer":
                self._swallowed = asked(request)
                self._server.sendall(request)
            case "mute":
                self._mute.set()
                self._server.sendall(request)
            case "hold":
                self._held.append(request)
                self._holding.set()
                self._proxy.hold(self)
                self._proxy.strike()
        return True

    def release(self) -> bool:
        self._ended.wait(RELEASE_S)
        with suppress(OSError):
            self._server.sendall(b"".join(self._held))
            return self._answered.wait(RELEASE_S)
        return False

    def answer(self) -> None:
        frames = KafkaFrames()
        with suppress(OSError):
            while data := self._server.recv(CHUNK):
                for answer in frames.feed(data):
                    if answered(answer) == self._swallowed:
                        self._proxy.strike()  # the broker has it, and nobody hears of it
                        return self._cut()
                    if self._held and answered(answer) == asked(self._held[0]):
                        self._answered.set()
                    if self._mute.is_set():
                        self._proxy.strike()
                    else:
                        self._pass_back(answer)
        return self._cut()

    def _pass_back(self, answer: bytes) -> None:
        try:
            self._client.sendall(answer)
        except OSError:
            if not self._holding.is_set():
                raise

    def _cut(self) -> None:
        shut(self._client)
        shut(self._server)
