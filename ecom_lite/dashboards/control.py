"""POST /api/control: the simulated shop is told rate, pause and faults while it runs, by who has the token and nobody else."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from msgspec.structs import asdict
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError, create_model
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ..errors import EcomLiteError, UsageError
from ..observe.figures import ControlAnswer
from ..settings.override import CATEGORIES, ShopOverride
from ..settings.tree import Faults
from ..settings.values import Share, rate_of
from .answers import error_answer, json_answer
from .guard import from_this_machine

logger = logging.getLogger("ecom_lite.dashboards")

MAX_BODY_BYTES: Final = 4096
SHOWN_CHARS: Final = 60
MEDIA_TYPE: Final = "application/json"
NO_SHOP: Final = "this run has no simulated shop (shop.enabled is false): there is nothing to control"

Control = Callable[[ShopOverride], ControlAnswer]  # an empty override changes nothing -> what is in force now

# What can be switched: the shares of [faults], all 0 by default; what else stands there says how.
FAULT_WORDS: Final = Faults.switches()
FAULTS: Final = tuple(FAULT_WORDS)
_fields: dict[str, Any] = {name: (Share, 0.0) for name in FAULTS}
_Shares: Any = create_model("_Shares", __config__=ConfigDict(extra="forbid"), **_fields)
_offers: dict[str, Any] = {f"category_{n}": (Share, Field(0.0, alias=name)) for n, name in enumerate(CATEGORIES)}
_Campaigns: Any = create_model("_Campaigns", __config__=ConfigDict(extra="forbid"), **_offers)


def _rate(value: object) -> float | str:
    return rate_of(None if isinstance(value, bool) else value)  # true is no rate of 1


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rate: Annotated[float | Literal["max", "natural"], BeforeValidator(_rate)] = 5.0
    paused: StrictBool = False
    faults: _Shares = Field(default_factory=_Shares)
    campaigns: _Campaigns = Field(default_factory=_Campaigns)


def read_override(body: bytes) -> ShopOverride:
    """What a request asks for, checked by the types of the settings: only what was given, shares as numbers.

    Raises UsageError that names each wrong value and what is allowed.
    """
    try:
        # Whole numbers as float: one of a thousand digits is then infinite, and refused as out of range.
        document = json.loads(body, parse_int=float)
    except (ValueError, RecursionError):
        raise UsageError("the body is not JSON") from None
    if not isinstance(document, dict) or not document:
        raise UsageError(f"give a JSON object with one or more of: {', '.join(_Change.model_fields)}")
    try:
        given = _Change.model_validate(document).model_dump(exclude_unset=True, by_alias=True)
    except ValidationError as error:
        raise UsageError("; ".join(_explain(problem) for problem in error.errors())) from None
    return ShopOverride(**given)


def _explain(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        inner = {"faults": (FAULTS, "fault"), "campaigns": (CATEGORIES, "category")}
        known, what = inner[problem["loc"][0]] if len(problem["loc"]) > 1 else (tuple(_Change.model_fields), "switch")
        return f"{_short(name)[1:-1]}: no such {what}; there is: {', '.join(known)}"
    if problem["type"] in ("model_type", "model_attributes_type"):
        return f'{name} = {_short(problem["input"])}: give an object such as {{"late": 0.05}}'
    if problem["loc"] == ("paused",):
        return f"paused = {_short(problem['input'])}: give true or false"
    return f"{name} = {_short(problem['input'])}: {problem['msg'].removeprefix('Value error, ')}"


def control_endpoint(control: Control | None, token: str) -> Callable[[Request], Any]:
    """The route's handler for GET (what is in force) and POST (a change). Checks go from who asks to what is asked."""

    async def answer(request: Request) -> Response:
        """GET: what the simulated shop does. POST: change it, by a JSON object with one or more of `rate` (orders a second, or
        `max`, `natural`), `paused`, `faults` (shares, as 0.05 or `5%`) and `campaigns` (shares off the price, by category). Both
        answer with what is in force: 200. `applied` is false until the producer has taken a change over.

        400: a wrong value, which the answer names; 409: there is no simulated shop, or it did not take the change; 413: more than
        4,096 bytes; 415: the body is not sent as `application/json`."""
        refused = refuse(request, token)
        if refused is not None:
            return refused
        if control is None:
            return _refusal(409, NO_SHOP)
        override = ShopOverride()
        if request.method == "POST":
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
                return _refusal(415, f"send {MEDIA_TYPE}")
            body = await read_body(request)
            if body is None:
                return _refusal(413, f"at most {MAX_BODY_BYTES:,} bytes")
            try:
                override = read_override(body)
            except UsageError as error:
                return _refusal(400, str(error))
        try:
            # It may write to a pipe: not on the loop that serves the page.
            now = await run_in_threadpool(control, override)
        except EcomLiteError as error:
            return _refusal(409, str(error))
        if request.method == "POST":
            logger.info("control: %s", override)
        return json_answer(asdict(now))

    return answer


def refuse(request: Request, token: str) -> Response | None:
    """The answer to who may not control this run; None for who may: a program on this machine that has the token."""
    if not from_this_machine(request.scope):
        return _refusal(403, "control is for programs on this machine only")
    return None if has_token(request, token) else _refusal(401, "not authorized")


def has_token(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    right = hmac.compare_digest(given.strip().encode(), token.encode())
    return right and scheme.lower() == "bearer" and bool(token)


async def read_body(request: Request) -> bytes | None:
    """None when it is too long; no more than the limit and a chunk is ever held."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return body


def _refusal(code: int, message: str) -> Response:
    return error_answer(message, code, {"WWW-Authenticate": "Bearer"} if code == 401 else None)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "..."
