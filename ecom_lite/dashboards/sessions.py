"""Who has logged in, and how often one may try: both bounded, both forgotten with the process. Used on one event loop only."""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

ID_BYTES: Final = 32
MOST_SESSIONS: Final = 64
IDLE_S: Final = 8 * 3600.0  # a page that is kept open asks every few seconds
LONGEST_S: Final = 7 * 86_400.0
WINDOW_S: Final = 60.0
TRIES_EACH: Final = 5  # wrong ones of one address in WINDOW_S
TRIES_IN_ALL: Final = 30  # wrong ones of all addresses: each costs this machine a tenth of a second
PREFIX_V6: Final = 64  # one household has so many addresses

# In an ASGI scope: a function that tells whether who asked is still let in. An answer that goes on and on asks it.
STILL_IN: Final = "ecom_lite.still_in"

Clock = Callable[[], float]


@dataclass
class _Session:
    begun: float
    used: float


class Sessions:
    """Ids are random; only their hashes are kept."""

    def __init__(self, clock: Clock = time.monotonic, most: int = MOST_SESSIONS) -> None:
        self._clock = clock
        self._most = most
        self._known: dict[bytes, _Session] = {}

    def begin(self) -> str:
        """A new id. Where there are as many as may be, the one that was idle the longest ends."""
        now = self._clock()
        self._forget(now)
        while len(self._known) >= self._most:
            del self._known[min(self._known, key=lambda key: self._known[key].used)]
        found = secrets.token_urlsafe(ID_BYTES)
        self._known[_key(found)] = _Session(now, now)
        return found

    def holds(self, session: str) -> bool:
        """Whether it is one; being asked, it is used."""
        now = self._clock()
        found = self._known.get(_key(session))
        if found is None or not _lives(found, now):
            return False
        found.used = now
        return True

    def end(self, session: str) -> None:
        self._known.pop(_key(session), None)

    def _forget(self, now: float) -> None:
        self._known = {key: session for key, session in self._known.items() if _lives(session, now)}


class Attempts:
    """Counts attempts as they begin, so that many at once are no way around; what was right is not counted."""

    def __init__(self, clock: Clock = time.monotonic, each: int = TRIES_EACH, in_all: int = TRIES_IN_ALL) -> None:
        self._clock = clock
        self._each = each
        self._in_all = in_all
        self._tried: deque[tuple[float, str]] = deque()  # never more than `in_all`

    def begin(self, address: str) -> float:
        """Seconds to wait before one may try; 0: now, and it counts."""
        now, who = self._clock(), _who(address)
        while self._tried and self._tried[0][0] <= now - WINDOW_S:
            self._tried.popleft()
        own = [moment for moment, one in self._tried if one == who]
        if len(own) >= self._each:
            return own[-self._each] + WINDOW_S - now
        if len(self._tried) >= self._in_all:
            return self._tried[0][0] + WINDOW_S - now
        self._tried.append((now, who))
        return 0.0

    def forgive(self, address: str) -> None:
        """It was right: what this address has tried before is forgotten, too."""
        who = _who(address)
        self._tried = deque(entry for entry in self._tried if entry[1] != who)


def _key(session: str) -> bytes:
    return hashlib.sha256(session.encode("utf-8", "replace")).digest()


def _lives(session: _Session, now: float) -> bool:
    return now - session.used < IDLE_S and now - session.begun < LONGEST_S


def _who(address: str) -> str:
    """An address as who is counted: of IPv6 its network."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, PREFIX_V6), strict=False))
