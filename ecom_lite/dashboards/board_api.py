"""What the browser asks of the boards under /api/boards: how they look, and their data. It never sees, or sends, SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..errors import DashboardError
from .answer import explain
from .answers import NEVER, error_answer, json_answer
from .board import ROW_PANEL, Board, Panel
from .links import link_json
from .live import Live
from .queries import Queries
from .sessions import STILL_IN
from .timerange import parse_range
from .turnstile import Busy
from .variables import variable_json
from .view import read_panels, read_refresh_ms, read_view

RETRY_AFTER_S: Final = "2"
_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = 404
_UNAVAILABLE: Final = 503
_ID: Final = re.compile(r"[0-9]{1,18}")  # what Starlette takes for a number may be too long for one; Grafana's may have 11 digits


def board_routes(boards: Mapping[str, Board], queries: Queries, live: Live) -> list[Route]:
    """The routes. All that they ask the database is asked through one turnstile."""
    turnstile = live.turnstile

    async def list_boards(_: Request) -> Response:
        """The boards, a list of `uid`, `title`, `description` and `tags`: 200."""
        return json_answer(
            [
                {"uid": board.uid, "title": board.title, "description": board.description, "tags": board.tags}
                for board in boards.values()
            ]
        )

    async def show_board(request: Request) -> Response:
        """A board without its SQL: title, time range, `timezone` (`browser` or a name such as `Europe/Berlin`), milliseconds
        between two redraws (`refresh_ms`), its `variables`, `links` and `annotations`, and its panels; a collapsed row holds its
        own: 200, or 404 where there is no such board."""
        board = boards.get(request.path_params["uid"])
        return json_answer(board_json(board)) if board else error_answer("no such board", _NOT_FOUND)

    async def show_variables(request: Request) -> Response:
        """What each variable of a board may be: by its name a list of `text` and `value`, without "All", and none for a textbox:
        200; 404 where there is no such board; 503, with `Retry-After`, where the database does not tell now."""
        board = boards.get(request.path_params["uid"])
        if board is None:
            return error_answer("no such board", _NOT_FOUND)
        try:
            found = await turnstile.run(_client(request), lambda: queries.options(board))
        except psycopg.Error as error:
            return _busy(explain(error)[1])
        except DashboardError as error:
            return _refused(error)
        lists = {name: [{"text": one.text, "value": one.value} for one in options] for name, options in found.items()}
        return json_answer(lists)

    async def show_panel(request: Request) -> Response:
        """The rows of a panel's queries. `from` and `to` are the time range (`now-6h`, `all`, `now`, epoch milliseconds), by
        default the board's; `var-NAME` is the value of a variable, several times for several values, `$__all` for all of them, by
        default the board's; `compare=previous` adds `previous`, the rows of the range before with their times moved into this
        one: 200, also where the database fails, with `state` `ok`, `empty`, `waiting` (no marts yet) or `error`, and a `message`;
        400 for a wrong time range, or a value that is not in its variable's list; 404 where there is no such board or panel; 503,
        with `Retry-After`, where too many are being computed, for all or for this address. Bounds in milliseconds are widened to
        whole `refresh_ms`."""
        board = boards.get(request.path_params["uid"])
        if board is None:
            return error_answer("no such board", _NOT_FOUND)
        if not _ID.fullmatch(request.path_params["id"]):
            raise HTTPException(_NOT_FOUND)
        try:
            panel = board.panel(int(request.path_params["id"]))
        except DashboardError as error:
            return error_answer(str(error), _NOT_FOUND)
        try:
            view = read_view(request.query_params, board)
            answer = await turnstile.run(
                _client(request), lambda: queries.panel(board, panel, view.start, view.end, view.values, view.compare)
            )
        except DashboardError as error:
            return _refused(error)
        return json_answer(answer.as_json())

    async def show_annotations(request: Request) -> Response:
        """What the board's annotations mark in a range, in order of time: a list of `at` and `end` (epoch milliseconds; no `end`:
        a moment), `text`, `name`, `color` and `tags`; `from`, `to` and `var-NAME` as for a panel: 200; 400, 404 and 503 as there.
        An annotation that cannot be read now has none."""
        board = boards.get(request.path_params["uid"])
        if board is None:
            return error_answer("no such board", _NOT_FOUND)
        try:
            view = read_view(request.query_params, board)
            marks = await turnstile.run(_client(request), lambda: queries.marks(board, view.start, view.end, view.values))
        except DashboardError as error:
            return _refused(error)
        return json_answer([mark.as_json() for mark in marks])

    async def show_live(request: Request) -> Response:
        """The board as server-sent events, for as long as they are read and the log-in holds; `from`, `to`, `var-NAME` and
        `compare` as for a panel, `refresh` (`30s`) for fewer redraws than the board's, `panels` (`1,4`) for these alone: 200.
        `panel`: the answer of a panel, with its `id`, each at once when it is known, then when it has changed; `annotations`:
        their list; `status`: the answer of `/api/status`; each of these two when it has changed; `tick`: all has been asked, `at`
        (epoch milliseconds); `beat`, after 10 s of silence.

        All who see the same are told by one who asks, for the panels that any of them shows. Who reads slowly misses old answers.
        400 and 404 as for a panel; 503, with `Retry-After`, where too many look, from one address or in all."""
        board = boards.get(request.path_params["uid"])
        if board is None:
            return error_answer("no such board", _NOT_FOUND)
        try:
            view, refresh_ms = read_view(request.query_params, board), read_refresh_ms(request.query_params, board)
            client, panels = _client(request), read_panels(request.query_params, board)
            parse_range(view.start, view.end, datetime.now(UTC))
            if view.chosen and not live.shows(board, view):
                await turnstile.patient(client, lambda: queries.require(board, view.values))
            if request.method == "HEAD":
                return Response(media_type="text/event-stream", headers={"Cache-Control": NEVER})
            still_in = request.scope.get(STILL_IN, lambda: True)
            return live.stream(live.join(client, board, view, refresh_ms, panels, still_in))
        except DashboardError as error:
            return _refused(error)

    return [
        Route("/api/boards", list_boards),
        Route("/api/boards/{uid}", show_board),
        Route("/api/boards/{uid}/variables", show_variables),
        Route("/api/boards/{uid}/panels/{id}", show_panel),
        Route("/api/boards/{uid}/annotations", show_annotations),
        Route("/api/boards/{uid}/live", show_live),
    ]


def _client(request: Request) -> str:
    return request.client.host if request.client else ""


def _refused(error: DashboardError) -> Response:
    return _busy(str(error)) if isinstance(error, Busy) else error_answer(str(error), _BAD_REQUEST)


def _busy(message: str) -> Response:
    return error_answer(message, _UNAVAILABLE, {"Retry-After": RETRY_AFTER_S})


def board_json(board: Board) -> dict[str, Any]:
    """A board for the browser: everything but the SQL."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": board.tags,
        "timezone": board.time_zone,
        "refresh_ms": board.refresh_ms,
        "from": board.start,
        "to": board.end,
        "variables": [variable_json(variable) for variable in board.variables],
        "links": [link_json(link) for link in board.links],
        "annotations": [{"name": each.name, "color": each.color, "enable": each.enable} for each in board.annotations],
        "panels": [_panel_json(panel, board.panels) for panel in board.panels if panel.row is None],
    }


def _panel_json(panel: Panel, all_panels: tuple[Panel, ...]) -> dict[str, Any]:
    grid = panel.grid
    shown = {
        "id": panel.id,
        "type": panel.type,
        "title": panel.title,
        "description": panel.description,
        "grid": {"x": grid.x, "y": grid.y, "w": grid.w, "h": grid.h},
        "links": [link_json(link) for link in panel.links],
        "options": panel.options,
        "fieldConfig": panel.field_config,
        "hasData": bool(panel.queries),
    }
    if panel.type != ROW_PANEL:
        return shown
    inner = [_panel_json(each, all_panels) for each in all_panels if each.row == panel.id]
    return {**shown, "collapsed": panel.collapsed, "panels": inner}
