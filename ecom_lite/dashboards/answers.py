"""How the page answers programs: JSON that is never cached, errors as `{"error": ...}`."""

from __future__ import annotations

import json
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

NEVER: Final = "no-store"
METHOD_NOT_ALLOWED: Final = 405


def encoded(content: Any) -> bytes:
    """JSON in one line; decimals and times are shown as text."""
    return json.dumps(content, default=str, separators=(",", ":"), allow_nan=False).encode()


def json_answer(content: Any, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(encoded(content), code, media_type="application/json", headers={"Cache-Control": NEVER, **(headers or {})})


def error_answer(message: str, code: int, headers: dict[str, str] | None = None) -> Response:
    return json_answer({"error": message}, code, headers)


async def http_error(request: Request, error: Exception) -> Response:
    """Starlette's handler for a path or a method that there is not."""
    assert isinstance(error, HTTPException)
    path, allowed = request.url.path, sorted((error.headers or {}).get("Allow", "").split(", "))
    if error.status_code != METHOD_NOT_ALLOWED:
        return error_answer(f"there is no {path}", error.status_code)
    return error_answer(
        f"{path} takes {' and '.join(allowed)}, not {request.method}", error.status_code, {"Allow": ", ".join(allowed)}
    )
