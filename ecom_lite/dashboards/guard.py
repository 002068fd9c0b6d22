"""Keeps other sites out of the page: a Host check against DNS rebinding, what browsers may ask for whom, headers that
forbid foreign content, who may control.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .answers import error_answer

LOOPBACK_NAMES: Final = frozenset(("localhost", "127.0.0.1", "::1"))
WILDCARDS: Final = frozenset(("", "0.0.0.0", "::"))
HEADERS: Final = {
    # Scripts and styles come from our own files only; a picture may be one that the page has made (a panel as PNG).
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
API: Final = "/api/"  # what may ask the database or the run
NOT_THIS_NAME: Final = "this page answers only under its own address (such as http://127.0.0.1), not under this host name"
NOT_FOR_OTHERS: Final = "not for other sites: a browser may ask this only for the page itself"
_BAD_HOST: Final = 421
_FORBIDDEN: Final = 403


class Guard:
    """ASGI middleware around the page that is bound to `host`."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    ours.setdefault(name, value)
            await send(message)

        app = self._app
        if not host_allowed(headers.get("host", ""), self._host):
            app = error_answer(NOT_THIS_NAME, _BAD_HOST)
        elif scope["path"].startswith(API) and not same_site(headers, scope["scheme"]):
            app = error_answer(NOT_FOR_OTHERS, _FORBIDDEN)
        with suppress(ClientDisconnect):  # before all of its body had come: there is nobody to answer
            await app(scope, receive, with_headers)


def host_allowed(header: str, bound: str) -> bool:
    """True when a Host header names us: a loopback name or the bound host; any IP address when bound to all of them."""
    name = header.rsplit(":", 1)[0] if header.rsplit(":", 1)[-1].isdigit() and not header.endswith("]") else header
    name = name.strip("[]").lower()
    if name in LOOPBACK_NAMES or (bound and name == bound.strip("[]").lower()):
        return True
    # A rebound name is a name: who typed an IP address meant this machine.
    return bound in WILDCARDS and _is_address(name)


def same_site(headers: Headers, scheme: str = "http") -> bool:
    """False for a request that a browser makes for another site; programs that are no browser send none of these headers."""
    if headers.get("sec-fetch-site", "same-origin").lower() not in ("same-origin", "none"):
        return False
    own = f"{scheme}://{headers.get('host', '')}".lower()
    origin, referer = headers.get("origin", own).lower(), headers.get("referer", own).lower()
    return origin == own and (referer == own or referer.startswith(f"{own}/"))


def from_this_machine(scope: Scope) -> bool:
    """True when the other end of the connection is a loopback address, or the very address that it has called."""
    client, server = scope.get("client"), scope.get("server")
    if not client or not _is_address(client[0]):
        return False
    address = ipaddress.ip_address(client[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback or bool(server and server[0] == client[0])


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
