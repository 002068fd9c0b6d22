"""POST /api/refresh: the run builds its marts now, for who has the token; the answer is one JSON object a line, as it goes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, Protocol

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ..errors import EcomLiteError, UsageError
from .control import MAX_BODY_BYTES, read_body, refuse

MEDIA_TYPE: Final = "application/x-ndjson"
WORDS: Final = ("full", "select")
SHAPE: Final = 'give a JSON object such as {"full": true, "select": ["daily_sales"]}'


class Marts(Protocol):
    """What builds the marts (the result is a dataclass of figures), and dbt's documentation of them (a file)."""

    def refresh(self, trigger: str, *, full_refresh: bool, select: Sequence[str], said: Callable[[str], None]) -> Any: ...
    def require_known(self, select: Sequence[str]) -> None: ...
    def docs(self) -> Path: ...


@dataclass(frozen=True)
class Wish:
    """What a request asks for."""

    full: bool = False
    select: tuple[str, ...] = ()


def read_wish(body: bytes) -> Wish:
    """Raises UsageError for anything but an object with some of WORDS."""
    try:
        given = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise UsageError(f"the body is not JSON: {SHAPE}") from None
    if not isinstance(given, dict):
        raise UsageError(SHAPE)
    full, select = given.get("full", False), given.get("select", [])
    other = sorted(given.keys() - set(WORDS))
    if other:
        raise UsageError(f"{other[0]!r} is not known here: {SHAPE}")
    if not isinstance(full, bool):
        raise UsageError(f"full = {full!r}: give true or false")
    if not isinstance(select, list) or not all(isinstance(name, str) for name in select):
        raise UsageError(f"select = {select!r}: give a list of models' names")
    return Wish(full, tuple(select))


def refresh_endpoint(marts: Marts | None, token: str) -> Callable[[Request], Any]:
    """The route's handler. Lines: {"said": text} while it goes on, then {"run": figures} or {"error": text}."""

    async def answer(request: Request) -> Response:
        """Builds the marts now, `{"full": true}` from all facts anew, `{"select": ["daily_sales"]}` some of them and what they
        are made from: 200, with one JSON object a line as it goes: `said` (a line of text), at the end `run` (its figures, those
        of each model in `by_model`) or `error` (it failed: the status was sent long before).

        400: a wrong body, a model that there is not; 409: there are no marts to build here; 413: more than 4,096 bytes."""
        refused = refuse(request, token)
        if refused is not None:
            return refused
        if marts is None:
            return JSONResponse({"error": "this page belongs to no run: there are no marts to build"}, 409)
        body = await read_body(request)
        if body is None:
            return JSONResponse({"error": f"at most {MAX_BODY_BYTES:,} bytes"}, 413)
        try:
            wish = read_wish(body)
            marts.require_known(wish.select)
        except UsageError as error:
            return JSONResponse({"error": str(error)}, 400)
        return StreamingResponse(_lines(marts, wish), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})

    return answer


async def _lines(marts: Marts, wish: Wish) -> AsyncIterator[bytes]:
    """The work goes on in a thread of its own, also where who has asked goes away: what is begun is finished. Who waits for it,
    perhaps behind others, takes none of the threads that the page's other answers share."""
    told: SimpleQueue[dict[str, object]] = SimpleQueue()

    def work() -> None:
        try:
            run = marts.refresh(
                "refresh", full_refresh=wish.full, select=wish.select, said=lambda text: told.put({"said": text})
            )  # fmt: skip
            told.put({"run": asdict(run)})
        except EcomLiteError as error:
            told.put({"error": str(error)})
        except Exception as error:
            told.put({"error": f"{type(error).__name__}: {error}"})
            raise

    Thread(target=work, name="refresh", daemon=True).start()
    own = CapacityLimiter(1)
    while True:
        line = await to_thread.run_sync(told.get, abandon_on_cancel=True, limiter=own)
        yield json.dumps(line, default=str).encode() + b"\n"
        if "said" not in line:
            return
