"""Keeps other sites out of the page: a Host check against DNS rebinding, headers that forbid foreign content, who may control."""

from __future__ import annotations

import ipaddress
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .answers import error_answer

LOOPBACK_NAMES: Final = frozenset(("localhost", "127.0.0.1", "::1"))
WILDCARDS: Final = frozenset(("", "0.0.0.0", "::"))
HEADERS: Final = {
    # Plotly sets style attributes and a style element; everything else comes from our own files.
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_BAD_HOST: Final = 421


class Guard:
    """ASGI middleware around the page that is bound to `host`."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._host = host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("host", "")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if host_allowed(given, self._host):
            await self._app(scope, receive, with_headers)
            return
        text = "this page answers only under its own address (such as http://127.0.0.1), not under this host name"
        await error_answer(text, _BAD_HOST)(scope, receive, with_headers)


def host_allowed(header: str, bound: str) -> bool:
    """True when a Host header names us: a loopback name or the bound host; any IP address when bound to all of them."""
    name = header.rsplit(":", 1)[0] if header.rsplit(":", 1)[-1].isdigit() and not header.endswith("]") else header
    name = name.strip("[]").lower()
    if name in LOOPBACK_NAMES or (bound and name == bound.strip("[]").lower()):
        return True
    # A rebound name is a name: who typed an IP address meant this machine.
    return bound in WILDCARDS and _is_address(name)


def same_site(headers: Headers) -> bool:
    """False for a request that a browser makes for another site; programs that are no browser send neither header."""
    if headers.get("sec-fetch-site", "same-origin").lower() not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or origin.lower() == f"http://{headers.get('host', '')}".lower()


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
