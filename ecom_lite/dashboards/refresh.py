"""POST /api/refresh: the run builds its marts now, for who has the token; the answer is one JSON object a line, as it goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ..errors import EcomLiteError
from .control import refuse

MEDIA_TYPE: Final = "application/x-ndjson"


class Refresh(Protocol):
    """Builds the marts; the result is a dataclass of figures."""

    def __call__(self, trigger: str, *, full_refresh: bool, said: Callable[[str], None]) -> Any: ...


def refresh_endpoint(refresh: Refresh | None, token: str) -> Callable[[Request], Any]:
    """The route's handler. Lines: {"said": text} while it goes on, then {"run": figures} or {"error": text}."""

    async def answer(request: Request) -> Response:
        """Builds the marts now, `{"full": true}` from all facts anew: 200, with one JSON object a line as it goes: `said` (a line
        of text), at the end `run` (its figures) or `error` (it failed: the status was sent long before).

        400: a wrong body; 409: there are no marts to build here."""
        refused = refuse(request, token)
        if refused is not None:
            return refused
        if refresh is None:
            return JSONResponse({"error": "this page belongs to no run: there are no marts to build"}, 409)
        try:
            full = json.loads(await request.body() or b"{}").get("full", False)
        except (ValueError, AttributeError):
            full = None
        if not isinstance(full, bool):
            return JSONResponse({"error": 'give a JSON object such as {"full": true}'}, 400)
        return StreamingResponse(_lines(refresh, full), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})

    return answer


def _lines(refresh: Refresh, full: bool) -> Iterator[bytes]:
    """The work goes on in a thread of its own, also where who has asked goes away: what is begun is finished."""
    told: SimpleQueue[dict[str, object]] = SimpleQueue()

    def work() -> None:
        try:
            run = refresh("refresh", full_refresh=full, said=lambda text: told.put({"said": text}))
            told.put({"run": asdict(run)})
        except EcomLiteError as error:
            told.put({"error": str(error)})
        except Exception as error:
            told.put({"error": f"{type(error).__name__}: {error}"})
            raise

    Thread(target=work, name="refresh", daemon=True).start()
    while True:
        line = told.get()
        yield json.dumps(line, default=str).encode() + b"\n"
        if "said" not in line:
            return
