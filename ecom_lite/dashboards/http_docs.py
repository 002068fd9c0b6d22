"""Writes docs/http.md from the page's routes and their docstrings: `python -m ecom_lite.dashboards.http_docs`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from starlette.routing import Route

from ..observe.status import RunStatus
from ..warehouse.connect import Address
from .assets import Assets
from .boards import load_boards
from .control import control_endpoint
from .dbt_docs import dbt_docs_endpoint
from .docs import BOARDS, ROOT
from .home import Home, home_routes
from .live import Live
from .page import build_app
from .probes import probes
from .queries import Queries
from .refresh import refresh_endpoint
from .turnstile import PER_CLIENT, THREADS, Turnstile

PAGE: Final = ROOT / "docs" / "http.md"
URL: Final = "http://127.0.0.1:8100"
NOBODY: Final = Address("127.0.0.1", 1, "", "", "", {"ecom_reader": ""})  # nothing is asked here


@dataclass(frozen=True)
class Example:
    """One request that a run which is up and well answers with `status`."""

    method: str
    route: str
    path: str
    status: int = 200
    body: str = ""
    token: bool = False

    def curl(self) -> str:
        """The command line."""
        words = ["curl -s"]
        if self.token:
            words.append('-H "Authorization: Bearer $TOKEN"')
        if self.body:
            words.append(f"-H \"Content-Type: application/json\" -d '{self.body}'")
        elif self.method != "GET":
            words.append(f"-X {self.method}")
        quote = "'" if "?" in self.path else ""  # to zsh a ? is a pattern, which no file matches
        return " ".join([*words, f"{quote}{URL}{self.path}{quote}"])


_BOARD: Final = "/api/boards/realtime-operations"
EXAMPLES: Final = (
    Example("GET", "/", "/"),
    Example("GET", "/d/{uid}", "/d/realtime-operations"),
    Example("GET", "/static/{version}/{name}", "/static/any/app.js"),
    Example("GET", "/dbt/", "/dbt/"),
    Example("GET", "/api/boards", "/api/boards"),
    Example("GET", "/api/boards/{uid}", _BOARD),
    Example("GET", "/api/boards/{uid}/variables", f"{_BOARD}/variables"),
    Example("GET", "/api/boards/{uid}/panels/{id}", f"{_BOARD}/panels/1?from=now-6h&to=now"),
    Example("GET", "/api/boards/{uid}/panels/{id}", f"{_BOARD}/panels/1?from=now-6h&to=now&compare=previous"),
    Example("GET", "/api/boards/{uid}/annotations", f"{_BOARD}/annotations?from=now-6h&to=now"),
    Example("GET", "/api/boards/{uid}/live", f"{_BOARD}/live?from=now-6h&to=now"),
    Example("GET", "/health", "/health"),
    Example("GET", "/ready", "/ready"),
    Example("GET", "/metrics", "/metrics"),
    Example("GET", "/api/status", "/api/status"),
    Example("GET", "/api/alerts", "/api/alerts"),
    Example("GET", "/api/chain", "/api/chain"),
    Example("GET", "/api/logs/{part}", "/api/logs/load?lines=20", token=True),
    Example("GET", "/api/story", "/api/story"),
    Example("POST", "/api/story", "/api/story", body='{"part": "load"}', token=True),
    Example("GET", "/api/control", "/api/control", token=True),
    Example("POST", "/api/control", "/api/control", body='{"rate": 50, "faults": {"late": "5%"}}', token=True),
    Example("POST", "/api/refresh", "/api/refresh", token=True),
    Example("POST", "/api/refresh", "/api/refresh", body='{"select": ["daily_sales"]}', token=True),
)

HEAD: Final = f"""# The HTTP API

<!-- Made by `python -m ecom_lite.dashboards.http_docs` from the routes of ecom_lite/dashboards/page.py. Do not edit by hand. -->

A run's page draws itself from these routes, and programs may ask them, too. `{URL}` is the default; the banner and
`ecom_lite status` have the address in force (`dashboards.host`, `dashboards.port`).

- Who reaches the port may read. By default that is this machine only. A `Host` that is not the page's own is answered by 421.
- A browser gets what is under `/api/` for the page itself only: what it asks for another site (an `<img>` there, say) is answered
  by 403, before anything is computed. Programs that send no `Sec-Fetch-Site`, `Origin` or `Referer` are not concerned.
- Panels are computed on threads and connections of their own, {PER_CLIENT} at a time for one address and {THREADS} in all, once
  for all who ask for the same: what else is asked never waits for them.
- `/api/control`, `/api/refresh`, `/api/logs` and POST to `/api/story` are for programs on this machine that show the run's token;
  everybody else gets 401 (no token, or a wrong one) or 403 (another machine, or a browser on behalf of another site). The token
  is new in each run. It is `control_token` in `state.json` in the data folder, which only the user who started the run can read:

```sh
TOKEN=$(python3 -c 'import json; print(json.load(open(".ecom_lite/state.json"))["control_token"])')
```

- Where `dashboards.password` is set, everything but `/health` and what the log-in page needs answers 401 (a browser is led to
  `/login`, 303) to who has not logged in: by the form there (POST, field `password`; 303 with a session's cookie, 401, or 429
  with `Retry-After` after too many wrong ones; POST to `/logout` ends it), by Basic (`curl -u :PASSWORD`, any name) or by the
  run's token. A page that gets 401 with the header `X-Log-In` goes there.
- Answers are JSON where nothing else is said, never cached; errors are `{{"error": "..."}}`: 404 for a path that there is not,
  405 for another method. GET also takes HEAD.

The status under a command is the one that a run which is up and well answers with.
"""


def routes() -> list[Route]:
    """The page's own, as a run has them; they cannot be called."""
    boards, assets, queries = load_boards(BOARDS), Assets(), Queries(NOBODY)
    made = build_app(
        boards,
        queries,
        Live(queries, Turnstile(), dict),
        assets,
        [*home_routes(Home(), boards, assets, RunStatus, "", login=False), *probes(RunStatus, RunStatus)],
        control_endpoint(None, ""),
        refresh_endpoint(None, ""),
        dbt_docs_endpoint(None, assets),
    )
    return [route for route in made.routes if isinstance(route, Route)]


def render(pages: Iterable[Route]) -> str:
    """The text of docs/http.md."""
    return "\n".join([HEAD, *(_route(route) for route in pages)])


def _route(route: Route) -> str:
    methods = sorted((route.methods or set()) - {"HEAD"})
    lines = [f"## {', '.join(methods)} `{route.path}`\n", f"{inspect.getdoc(route.endpoint)}\n"]
    for example in EXAMPLES:
        if example.route == route.path:
            lines.append(f"```sh\n{example.curl()}\n```\n\nanswers {example.status}\n")
    return "\n".join(lines)


def main() -> int:
    """Write the file."""
    PAGE.write_text(render(routes()), "utf-8")
    sys.stderr.write(f"wrote {PAGE}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
