"""/api/story: a fault story for an audience, told by the run; a part is killed, late and broken events come, the count closes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, Protocol

from msgspec import to_builtins
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ..errors import EcomLiteError, UsageError
from ..observe.story import Telling
from .answers import error_answer, json_answer
from .control import MAX_BODY_BYTES, read_body, refuse

NO_RUN: Final = "this page belongs to no run: there is nothing to kill"
SHAPE: Final = 'give a JSON object: {"part": "load"} to begin, {"end": true} to end it'


class Story(Protocol):
    """Who tells it. `begin` raises UsageError for a part that is never killed, EcomLiteError where it cannot be told now."""

    def begin(self, part: str) -> None: ...
    def end(self) -> None: ...
    def telling(self) -> Telling: ...


def read_wish(body: bytes) -> str | None:
    """The part to kill; None: the story is to end. Raises UsageError."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise UsageError(f"the body is not JSON: {SHAPE}") from None
    if given == {"end": True}:
        return None
    if not isinstance(given, dict) or given.keys() != {"part"} or not isinstance(given["part"], str):
        raise UsageError(SHAPE)
    return str(given["part"])


def story_endpoint(story: Story | None, token: str) -> Callable[[Request], Any]:
    """The route's handler for GET (how far it is) and POST (begin, end)."""

    async def answer(request: Request) -> Response:
        """GET: the fault story as far as it has come, with a caption to each chapter, and the `parts` that can be chosen: 200.
        POST: `{"part": "load"}` tells it: this part's process is killed, then late, broken and doubled events come for 30 s, then
        the shop pauses until the count has closed; everything is put back at its end. `{"end": true}` ends it early. Both: 200.

        400: a wrong body, a part that is never killed; 409: it cannot be told now (one is being told, no simulated shop, a part
        is not well, or has died too often already); 413: more than 4,096 bytes. POST needs the token, GET does not."""
        if request.method == "POST":
            refused = refuse(request, token)
            if refused is not None:
                return refused
            if story is None:
                return error_answer(NO_RUN, 409)
            body = await read_body(request)
            if body is None:
                return error_answer(f"at most {MAX_BODY_BYTES:,} bytes", 413)
            try:
                part = read_wish(body)
                await run_in_threadpool(story.end if part is None else lambda: story.begin(part))
            except UsageError as error:
                return error_answer(str(error), 400)
            except EcomLiteError as error:
                return error_answer(str(error), 409)
        return json_answer(to_builtins(Telling() if story is None else story.telling()))

    return answer
