"""The socket that the page's server answers on."""

from __future__ import annotations

import errno
import socket
from typing import Final

from ..errors import DashboardError, PortTaken

BACKLOG: Final = 128


def listen(host: str, port: int) -> socket.socket:
    """Bound and listening; port 0 takes a free one. Raises PortTaken, DashboardError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Where the protocol is not named asyncio sets no TCP_NODELAY, and a body waits 40 ms until its head is acknowledged.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"port {port} on {host}, set for the dashboards, is taken: end that process, set another "
                "dashboards.port, or leave it unset"
            ) from None
        raise DashboardError(f"dashboards cannot listen on {host}:{port}: {error.strerror}") from None
    return listener
