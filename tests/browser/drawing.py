"""A page with made-up frames, drawn by the real scripts under the real headers: no server and no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ecom_lite.dashboards.assets import Assets
from ecom_lite.dashboards.drawable import require_drawn
from ecom_lite.dashboards.guard import HEADERS
from tests.runs import DEADLINE_S

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

ORIGIN: Final = "http://127.0.0.1"
START_MS: Final = 1_764_201_600_000  # 2025-11-27 00:00 UTC
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
Json = dict[str, Any]

HTML: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>drawing</title>
<script src="/static/v/scheme.js"></script><link rel="stylesheet" href="/static/v/app.css">
<link rel="stylesheet" href="/static/v/uplot.min.css"><link rel="stylesheet" href="/static/v/drawing.css"></head>
<body><main class="drawing"></main></body></html>"""

DRAW: Final = """async ({panel, answer, context, width, height}) => {
  const { draw, resize } = await import("/static/v/panels.js");
  const key = `panel-${panel.id}`;
  let body = document.querySelector(`#${key} .body`);
  if (!body) {
    const section = document.createElement("section");
    section.id = key;
    section.className = "panel";
    section.style.cssText = `width:${width}px;height:${height}px;margin:8px;display:inline-flex;vertical-align:top`;
    const title = document.createElement("h2");
    title.textContent = panel.title;
    body = document.createElement("div");
    body.className = "body";
    section.append(title, body);
    document.querySelector("main").append(section);
    window.memory ??= {};
    new ResizeObserver(() => resize(body)).observe(body);
  }
  draw(panel, answer, body, (window.memory[key] ??= {}), context);
}"""


def frame(columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> Json:
    """`columns` are names with their kinds: time, number, string, boolean."""
    return {"columns": [{"name": name, "kind": kind} for name, kind in columns.items()], "rows": rows, "cut": False}


def panel(kind: str, title: str = "Made up", **config: Any) -> Json:
    """A panel as /api/boards gives it: `options`, `defaults`, `overrides`. What no board may have is refused here too."""
    field_config = {"defaults": config.get("defaults", {}), "overrides": config.get("overrides", [])}
    options = config.get("options", {})
    require_drawn(kind, options, field_config)
    return {"id": 1, "type": kind, "title": title, "description": "", "options": options, "fieldConfig": field_config}


def override(name: str, matcher: str = "byName", **properties: Any) -> Json:
    """`custom__width=90` is `custom.width`."""
    found = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": matcher, "options": name}, "properties": found}


def answer(*frames: Json, start: int = START_MS, end: int = START_MS + HOUR_MS, **more: Any) -> Json:
    return {"state": "ok", "message": "", "frames": list(frames), "from": start, "to": end, **more}


class Drawing:
    """One page of the browser; `complaints` is what its console said."""

    def __init__(self, browser: Browser, scheme: str = "dark", width: int = 1440, height: int = 1000) -> None:
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme="light" if scheme == "light" else "dark",
            timezone_id="Europe/Berlin",
        )
        self.page.set_default_timeout(1000 * DEADLINE_S)
        self.complaints: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(f"{error} {error.stack}"))
        self._assets = Assets()
        self.page.route(f"{ORIGIN}/**", self._serve)
        self.page.goto(f"{ORIGIN}/")
        self._next = 0

    def _serve(self, route: Route) -> None:
        path = urlsplit(route.request.url).path
        asset = self._assets.get(path.rsplit("/", 1)[-1]) if path.startswith("/static/") else None
        if asset is not None:
            route.fulfill(body=asset.body, headers={"content-type": asset.media_type, **HEADERS})
        elif path == "/favicon.ico":
            route.fulfill(status=204)
        else:
            route.fulfill(body=HTML, headers={"content-type": "text/html", **HEADERS})

    def draw(self, made: Json, data: Json, context: Json | None = None, width: int = 600, height: int = 340) -> Locator:
        """Draws a new panel and returns its body. Draw it anew with `again`."""
        self._next += 1
        made = {**made, "id": self._next}
        self.again(made, data, context, width, height)
        return self.page.locator(f"#panel-{self._next} .body")

    def again(self, made: Json, data: Json, context: Json | None = None, width: int = 600, height: int = 340) -> None:
        given = {"panel": made, "answer": data, "context": context or {}, "width": width, "height": height}
        self.page.evaluate(DRAW, given)
