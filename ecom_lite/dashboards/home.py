"""The start page and what it asks: the chain, the logs, the fault story. Its look is static/home.*."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import to_builtins
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..observe.status import RunStatus
from .answers import NEVER, json_answer
from .assets import Assets
from .boards import Board
from .chain import chain
from .control import FAULT_WORDS
from .guard import from_this_machine
from .hints import hints
from .log_tails import logs_endpoint
from .story import Story, story_endpoint

PAGE: Final = "home.html"


@dataclass(frozen=True)
class Home:
    """What the start page knows of the run beside its status. A page that belongs to no run has none of it."""

    data_dir: Path | None = None  # with the logs
    secrets: Callable[[], Iterable[str]] = tuple  # that no log shows
    story: Story | None = None
    addresses: Callable[[], Mapping[str, str]] = dict  # further pages, by name
    bootstrap: Callable[[], str] = str  # host:port,... of the broker
    topic: str = ""
    marts_every_s: float = 300.0


def home_routes(
    home: Home, boards: Mapping[str, Board], assets: Assets, status: Callable[[], RunStatus], token: str, login: bool
) -> list[Route]:
    """`login`: who looks has logged in, and may log out."""

    async def page(_: Request) -> Response:
        """The start page, as HTML: the chain of this run, live, links to all boards, and the buttons: 200."""
        return Response(assets.text(PAGE), media_type="text/html", headers={"Cache-Control": NEVER})

    def show_chain(request: Request) -> Response:
        """The run for the start page: `nodes` (its parts, with `state` `ok`, `busy`, `warn`, `bad` or `off`), `edges` (what flows
        between them: rate, lag, delay), both sides of the `count`, the shop, the boards, and `hints` on what to do next: 200.
        `here` says whether who asks may control the run from where he is, given the token."""
        now = status()
        shop = None
        if "produce" in now.parts:
            shop = {
                "rate": now.rate, "paused": now.paused, "faults": now.faults, "held": now.held, "history": now.history,
                "campaigns": now.campaigns, "time": now.shop_time,
            }  # fmt: skip
        told = hints(now, datetime.now(UTC), home.marts_every_s, home.bootstrap(), home.topic)
        return json_answer(
            {
                "state": now.state,
                "uptime_s": now.uptime_s,
                **chain(now),
                "shop": shop,
                "faults": FAULT_WORDS,
                "parts": {name: to_builtins(part) for name, part in now.parts.items()},
                "boards": [{"uid": b.uid, "title": b.title, "description": b.description} for b in boards.values()],
                "pages": dict(home.addresses()),
                "hints": to_builtins(told),
                "here": from_this_machine(request.scope),
                "login": login,
            }
        )

    return [
        Route("/", page),
        Route("/api/chain", show_chain),
        Route("/api/logs/{part}", logs_endpoint(home.data_dir, home.secrets, status, token)),
        Route("/api/story", story_endpoint(home.story, token), methods=["GET", "POST"]),
    ]
