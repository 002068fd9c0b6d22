"""What programs ask: /health (this process lives), /ready (every part is ready and well), /metrics, the strip's figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import to_builtins
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..observe.metrics import MEDIA_TYPE, rendered
from ..observe.status import RunStatus
from .answers import NEVER, json_answer
from .strip import strip

OK: Final = 200
UNAVAILABLE: Final = 503
Status = Callable[[], RunStatus]


def probes(status: Status, written: Status) -> list[Route]:
    """The routes. `status` is the run as it is now; `written` as it was last written down: the metrics are of that moment."""

    async def health(_: Request) -> Response:
        """This process lives: 200."""
        return json_answer({"ok": True})

    def ready(_: Request) -> Response:
        """Every part is ready and well: 200, else 503; `reasons` names each `part` that is not, and the `detail`."""
        reasons = status().not_ready()
        return json_answer({"ready": not reasons, "reasons": to_builtins(reasons)}, UNAVAILABLE if reasons else OK)

    def metrics(_: Request) -> Response:
        """All metrics in Prometheus' text format, as of the last second ([metrics.md](metrics.md)): 200."""
        return Response(rendered(written()), headers={"Content-Type": MEDIA_TYPE, "Cache-Control": NEVER})

    def show_status(_: Request) -> Response:
        """The figures above the panels: events a second sent and loaded, lag in records, facts, dead letters, the last dbt run,
        the alerts that fire, and whether each of the services is well: 200."""
        return json_answer(strip(status()))

    def alerts(_: Request) -> Response:
        """The rules of alerts by name, and how each stands: a list of `rule`, `title`, `severity`, `state` (`ok`, `pending`,
        `firing`, `unknown`), `since`, `at`, `value`, `unit`, `told`, `problem`, `what_to_do`, `board`: 200. Empty before the
        first evaluation."""
        return json_answer([{"rule": name, **to_builtins(alert)} for name, alert in status().alerts.items()])

    return [
        Route("/health", health),
        Route("/ready", ready),
        Route("/metrics", metrics),
        Route("/api/status", show_status),
        Route("/api/alerts", alerts),
    ]
