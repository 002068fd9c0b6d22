"""The built-in page: a small web server that draws grafana/dashboards/*.json without Grafana."""

from __future__ import annotations

import http.client
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ..errors import DashboardError, EcomLiteError, PortTaken
from ..warehouse.connect import Address
from .answers import NEVER, error_answer, http_error
from .assets import Assets
from .board_api import board_routes
from .boards import Board, load_boards
from .control import Control, control_endpoint
from .dbt_docs import DbtDocs, dbt_docs_endpoint
from .guard import WILDCARDS, Guard
from .home import Home, home_routes
from .listener import listen
from .live import Live
from .login import LogIn
from .probes import Status, probes
from .queries import Queries
from .refresh import Marts, refresh_endpoint
from .sessions import Attempts, Sessions
from .strip import strip
from .turnstile import Turnstile

logger = logging.getLogger("ecom_lite.dashboards")

START_S: Final = 30.0
STOP_S: Final = 5.0
GRACE_S: Final = 1  # for answers that are being made, when the page ends
POLL_S: Final = 0.02
TOKEN_BYTES: Final = 32
_FOREVER: Final = "public, max-age=31536000, immutable"
_NOT_FOUND: Final = 404


class Page:
    """The dashboards on http://host:port/. `port` 0 picks a free one. Methods may be called from any thread.

    `status` is how the run is now: for the strip above the panels, and /ready. `written` is how it was when it was last written
    down, for /metrics; without it they are of now.

    `control` is given a checked change of the simulated shop, such as {"rate": 500.0, "paused": False, "faults":
    {"late": 0.05}} (only what was asked for; {} asks for nothing), and returns what is in force now. It may
    be called from any thread, and raises EcomLiteError. None: there is no simulated shop. Who controls must show `token`;
    one is made where none is given. With a `password` (plain, or its hash) whoever looks must log in.

    `other_port` gives another port where `port` has been taken since it was chosen; None: that is PortTaken.
    """

    def __init__(
        self,
        address: Address,
        boards_dir: Path,
        host: str,
        port: int,
        status: Status,
        control: Control | None = None,
        marts: Marts | None = None,
        token: str = "",
        written: Status | None = None,
        home: Home | None = None,
        password: str = "",
        other_port: Callable[[], int] | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.token = token or secrets.token_urlsafe(TOKEN_BYTES)
        self._control = control
        self._marts = marts
        self._docs = None if marts is None else DbtDocs(marts.docs)
        self._address = address
        self._boards_dir = boards_dir
        self._status = status
        self._probes = probes(status, written or status)
        self._home = home or Home()
        self._password = password
        self._other_port = other_port
        self._lock = threading.Lock()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._queries: Queries | None = None
        self._live: Live | None = None

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the page; the port is the real one after `start`."""
        host = "127.0.0.1" if self.host in WILDCARDS else self.host
        return f"http://[{host}]:{self.port}/" if ":" in host else f"http://{host}:{self.port}/"

    @property
    def alive(self) -> bool:
        """True while the server's thread serves."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Serve, and return once /health was answered. May be called again after `stop`.

        Raises DashboardError (a board is wrong, or no answer), PortTaken.
        """
        with self._lock:
            if self.alive and self._server is not None:
                return
            if self._thread is not None:  # its end may have taken longer than `stop` has waited for it
                self._thread.join(STOP_S)
            boards = load_boards(self._boards_dir)
            listener = self._listen()
            self.port = int(listener.getsockname()[1])
            self._queries = Queries(self._address)
            self._queries.open()
            control = control_endpoint(self._control, self.token)
            refresh = refresh_endpoint(self._marts, self.token)
            assets = Assets()
            docs = dbt_docs_endpoint(self._docs, assets)
            self._live = Live(self._queries, Turnstile(), lambda: strip(self._status()))
            login = bool(self._password)
            watched = [*home_routes(self._home, boards, assets, self._status, self.token, login), *self._probes]
            app: ASGIApp = build_app(boards, self._queries, self._live, assets, watched, control, refresh, docs)
            if login:
                app = LogIn(app, self._password, self.token, assets, self.port, Sessions(), Attempts(), self._live.recheck)
            app = Guard(app, self.host)
            config = uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                ws="none",
                timeout_graceful_shutdown=GRACE_S,
            )
            self._server = PageServer(config, self._live)
            run = self._server.run
            self._thread = threading.Thread(target=lambda: run(sockets=[listener]), name="dashboards", daemon=True)
            self._thread.start()
        try:
            self._wait_ready()
        except EcomLiteError:
            self.stop()
            raise
        logger.info("dashboards at %s", self.url)

    def stop(self) -> None:
        """Close everything; safe before `start`, twice and from any thread. Blocks a few seconds at most."""
        with self._lock:
            server, thread, queries = self._server, self._thread, self._queries
            self._server, self._queries, self._live = None, None, None
        if server is not None:
            server.should_exit = True
        if thread is not None and thread is not threading.current_thread():
            thread.join(STOP_S)
        if queries is not None:
            queries.close()

    def _listen(self) -> socket.socket:
        """Between two who find the same port free one is the first to take it."""
        while True:
            try:
                return listen(self.host, self.port)
            except PortTaken:
                if self._other_port is None:
                    raise
                self.port = self._other_port()

    def _wait_ready(self) -> None:
        give_up = time.monotonic() + START_S
        host = "127.0.0.1" if self.host in WILDCARDS else self.host
        while self.alive and time.monotonic() < give_up:
            connection = http.client.HTTPConnection(host, self.port, timeout=1)
            try:
                connection.request("GET", "/health")
                if connection.getresponse().status == http.client.OK:
                    return
            except OSError:
                pass
            finally:
                connection.close()
            time.sleep(POLL_S)
        raise DashboardError(f"dashboards: {self.url}health gave no answer within {START_S:.0f} s")


class PageServer(uvicorn.Server):
    """Its streams end with it, not before: a browser would else come again, and ask for all panels of a page that is going."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._live.end()  # who looks is told so only when this coroutine waits: then nobody is let in any more
        await super().shutdown(sockets)


def build_app(
    boards: Mapping[str, Board],
    queries: Queries,
    live: Live,
    assets: Assets,
    watched: Sequence[Route],
    control: Callable[[Request], Any],
    refresh: Callable[[Request], Any],
    docs: Callable[[Request], Any],
) -> Starlette:
    """The page's routes. Plain functions are run on threads that all share: none of them waits for the database."""

    async def page(request: Request) -> Response:
        """The page that draws the board `uid`, as HTML: 200. A `uid` that there is not leads to `/`: 307."""
        if request.path_params["uid"] not in boards:
            return RedirectResponse("/", headers={"Cache-Control": NEVER})
        return Response(assets.index(), media_type="text/html", headers={"Cache-Control": NEVER})

    async def static(request: Request) -> Response:
        """A script, style or picture of the page: 200, or 404. A browser may keep it for good where `version` is the one that the
        page names, else not at all."""
        asset = assets.get(request.path_params["name"])
        if asset is None:
            return error_answer("no such file", _NOT_FOUND)
        current = request.path_params["version"] == assets.version
        headers = {"Cache-Control": _FOREVER if current else NEVER, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.gzipped, media_type=asset.media_type, headers=headers)
        return Response(asset.body, media_type=asset.media_type, headers=headers)

    return Starlette(
        routes=[
            Route("/d/{uid}", page),
            Route("/static/{version}/{name}", static),
            Route("/dbt/", docs),
            *board_routes(boards, queries, live),
            *watched,
            Route("/api/control", control, methods=["GET", "POST"]),
            Route("/api/refresh", refresh, methods=["POST"]),
        ],
        exception_handlers={HTTPException: http_error},
    )
