"""Owns the choice of TCP ports: finding a free one, naming who has a taken one, waiting for one to answer."""

from __future__ import annotations

import errno
import random
import socket
import threading
import time
from collections.abc import Callable

import psutil

from ecom_lite.errors import EngineError, PortTaken
from ecom_lite.system import hold_name

LOOPBACK = "127.0.0.1"
# Below the ephemeral ranges of Linux and macOS: while a killed server restarts, no outgoing connection takes its port.
FIRST_PORT, LAST_PORT = 20_000, 29_999
TRIES = 200
CONNECT_TIMEOUT_S = 1.0
OWN_PORT_WAIT_S = 5.0
POLL_S = 0.02

_picked: dict[int, socket.socket | None] = {}  # by this process, each with what tells the others
_picking = threading.Lock()
_random = random.SystemRandom()


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """True when a server could listen on the port now. EngineError: the address or port is not usable at all."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise EngineError(
                f"Cannot listen on {host}:{port}: {error.strerror or error}. Choose another host or port."
            ) from error
        except OverflowError:
            raise EngineError(f"Port {port} is out of range: choose one from 1 to 65535.") from None
    return True


def claim(port: int, host: str = LOOPBACK) -> bool:
    """True when the port is free and no other process of ours has picked it, whose server does not listen yet. Then it is picked,
    for as long as this process lives."""
    with _picking:
        return is_free(port, host) and _pick(port)


def _pick(port: int) -> bool:
    """False where another process was quicker, and has said so."""
    if port not in _picked:
        try:
            _picked[port] = hold_name(f"port {port}")
        except FileExistsError:
            return False
    return True


def free_port(host: str = LOOPBACK) -> int:
    """A port that is free now, and that neither this process nor another one of ours that lives has handed out before."""
    with _picking:
        for _ in range(TRIES):
            port = _random.randint(FIRST_PORT, LAST_PORT)
            if port not in _picked and is_free(port, host) and _pick(port):
                return port
    raise EngineError(f"No free port found on {host} between {FIRST_PORT} and {LAST_PORT} in {TRIES} tries.")


def port_owner(port: int) -> str | None:
    """Name and pid of the process that listens on the port, when the system tells us."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        pass
    return None


def require_free(port: int, host: str = LOOPBACK, what: str = "this server") -> None:
    """Raise PortTaken, naming the process that has it where that can be known, unless the port is free."""
    if not is_free(port, host):
        owner = port_owner(port)
        by = f"by {owner}" if owner else "by another process (which one cannot be seen from this account)"
        raise PortTaken(
            f"Port {port} on {host}, set for {what}, is taken {by}. End that process, set another port, "
            "or leave the port unset so that a free one is picked."
        )


def wait_free(port: int, host: str = LOOPBACK, deadline_s: float = 5.0) -> bool:
    """Wait until the port is free; False when it still is not after `deadline_s` seconds."""
    give_up = time.monotonic() + deadline_s
    while not is_free(port, host):
        if time.monotonic() > give_up:
            return False
        time.sleep(POLL_S)
    return True


def choose_port(own: int | None, fixed: int | None, last: int | None, *, host: str = LOOPBACK, what: str) -> int:
    """The port a server should take: the one it had before, else the set one, else the last run's, else a free one.

    `own` and `fixed` must be free (PortTaken), because clients know them; `last` is only a preference.
    """
    if own is not None:
        wait_free(own, host, OWN_PORT_WAIT_S)  # our own dead process may take a moment to let go
        require_free(own, host, f"{what} (it had this port before and must keep it)")
        return own
    if fixed is not None:
        require_free(fixed, host, what)
        return fixed
    return last if last and claim(last, host) else free_port(host)


def wait_port(
    port: int, host: str = LOOPBACK, *, deadline_s: float, alive: Callable[[], bool] | None = None, what: str = "server"
) -> None:
    """Wait until something accepts connections. EngineError after `deadline_s` seconds, or once `alive()` is false."""
    give_up = time.monotonic() + deadline_s
    while True:
        try:
            with socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S):
                return
        except OSError as error:
            if alive is not None and not alive():
                raise EngineError(f"The {what} ended before it answered on {host}:{port}.") from error
            if time.monotonic() > give_up:
                raise EngineError(f"The {what} did not answer on {host}:{port} within {deadline_s:.0f} s: {error}.") from error
        time.sleep(POLL_S)
