"""What the browser asks of the boards under /api/boards: how they look, and their data. It never sees, or sends, SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..errors import DashboardError
from .answers import error_answer, json_answer
from .board import ROW_PANEL, Board, Panel
from .links import link_json
from .queries import Queries
from .turnstile import Busy, Turnstile
from .variables import variable_json

RETRY_AFTER_S: Final = "2"
_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = 404
_UNAVAILABLE: Final = 503


def board_routes(boards: Mapping[str, Board], queries: Queries) -> list[Route]:
    """The routes."""
    turnstile = Turnstile()

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

    async def show_panel(request: Request) -> Response:
        """The rows of a panel's queries. `from` and `to` are the time range (`now-6h`, `all`, `now`, epoch milliseconds), by
        default the board's: 200, also where the database fails, with `state` `ok`, `empty`, `waiting` (no marts yet) or `error`,
        and a `message`; 400 for a wrong time range; 404 where there is no such board or panel; 503, with `Retry-After`, where too
        many are being computed, for all or for this address. Bounds in milliseconds are widened to whole `refresh_ms`."""
        board = boards.get(request.path_params["uid"])
        if board is None:
            return error_answer("no such board", _NOT_FOUND)
        asked = request.query_params
        try:
            panel = board.panel(request.path_params["id"])
        except DashboardError as error:
            return error_answer(str(error), _NOT_FOUND)
        try:
            start, end = asked.get("from", board.start), asked.get("to", board.end)
            client = request.client.host if request.client else ""
            answer = await turnstile.run(client, lambda: queries.panel(board, panel, start, end))
        except Busy as busy:
            return error_answer(str(busy), _UNAVAILABLE, {"Retry-After": RETRY_AFTER_S})
        except DashboardError as error:
            return error_answer(str(error), _BAD_REQUEST)
        return json_answer(answer.as_json())

    return [
        Route("/api/boards", list_boards),
        Route("/api/boards/{uid}", show_board),
        Route("/api/boards/{uid}/panels/{id:int}", show_panel),
    ]


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
