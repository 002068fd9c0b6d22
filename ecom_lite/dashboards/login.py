"""The log-in around the page, where dashboards.password is set: a form and a cookie for people, Basic or Bearer for programs."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import html
import logging
import math
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs, quote

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ..settings.password import hashed, is_hash, matches
from .answers import NEVER, error_answer
from .assets import Assets
from .control import has_token, read_body
from .guard import HEADERS, NOT_FOR_OTHERS, same_site
from .sessions import STILL_IN, Attempts, Sessions

logger = logging.getLogger("ecom_lite.dashboards")

LOGIN: Final = "/login"
LOGOUT: Final = "/logout"
HEALTH: Final = "/health"
PAGE: Final = "login.html"
# What the log-in page itself needs; everything else waits until somebody has logged in.
OPEN_FILES: Final = ("app.css", "home.css", "login.js", "token.js", "session.js", "stored.js", "scheme.js", "favicon.svg")
OPEN: Final = re.compile(rf"/static/[^/]+/({'|'.join(re.escape(name) for name in OPEN_FILES)})")
NEXT: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")  # a path of ours, and nothing that leads elsewhere
TRIES_AT_ONCE: Final = 2
MOST_FIELDS: Final = 8  # of a form: ours has one
KNOWN_BASIC: Final = 16
WRONG: Final = "That is not the password."
TOO_OFTEN: Final = "Too many wrong passwords. Try again in {wait} s."
FIRST: Final = "log in first: by the form at /login, or with -u :PASSWORD (Basic), or with the run's token (Bearer)"
_UNAUTHORIZED: Final = 401
_TOO_MANY: Final = 429


class LogIn:
    """ASGI middleware, inside Guard. `password` is that of the settings, plain or hashed; `token` the run's, which opens all.

    `logged_out` is called when somebody was, for streams that are open: whether theirs is the session that has ended, they ask.
    """

    def __init__(
        self, app: ASGIApp, password: str, token: str, assets: Assets, port: int, sessions: Sessions, attempts: Attempts,
        logged_out: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._app = app
        self._stored = password if is_hash(password) else hashed(password)  # every try costs the same
        self._token = token
        self._assets = assets
        self._cookie = f"ecom_lite_{port}"  # cookies know no ports: two runs on one machine are two sessions
        self._sessions = sessions
        self._attempts = attempts
        self._logged_out = logged_out
        self._limiter: CapacityLimiter | None = None
        self._secret = secrets.token_bytes(32)
        self._basic: OrderedDict[bytes, None] = OrderedDict()  # programs that have shown the right password, by a keyed hash

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, path = Request(scope, receive), scope["path"]
        answer: ASGIApp
        if path == HEALTH or OPEN.fullmatch(path):
            answer = self._app
        elif path == LOGIN:
            answer = await self._log_in(request)
        elif path == LOGOUT:
            answer = self._log_out(request)
        else:
            answer = await self._refusal(request) or self._app
            if self._within(request):
                scope = {**scope, STILL_IN: lambda: self._within(request)}
        await answer(scope, receive, send)

    async def _log_in(self, request: Request) -> Response:
        """GET: the form. POST: the password, as a form sends it."""
        if request.method in ("GET", "HEAD"):
            return _leave(request) if self._within(request) else self._form("", 200)
        if request.method != "POST":
            return error_answer("/login takes GET and HEAD and POST", 405, {"Allow": "GET, HEAD, POST"})
        if not _from_our_page(request):
            return error_answer(NOT_FOR_OTHERS, 403)
        body = await read_body(request)
        wait, right = await self._try(request, _form_password(body or b""))
        if wait:
            return self._form(TOO_OFTEN.format(wait=wait), _TOO_MANY, wait)
        if not right:
            return self._form(WRONG, _UNAUTHORIZED)
        answer = _leave(request)
        secure = request.url.scheme == "https"
        answer.set_cookie(self._cookie, self._sessions.begin(), httponly=True, samesite="strict", secure=secure, path="/")
        return answer

    def _log_out(self, request: Request) -> Response:
        if request.method != "POST":
            return error_answer("/logout takes POST", 405, {"Allow": "POST"})
        if not _from_our_page(request):
            return error_answer(NOT_FOR_OTHERS, 403)
        self._sessions.end(request.cookies.get(self._cookie, ""))
        self._logged_out()
        answer = RedirectResponse(LOGIN, 303, {"Cache-Control": NEVER})
        answer.delete_cookie(self._cookie, path="/", httponly=True, samesite="strict")
        return answer

    async def _refusal(self, request: Request) -> Response | None:
        """None for who may go on: by cookie, by the run's token, or by the password as Basic sends it."""
        if self._within(request) or has_token(request, self._token):
            return None
        password = _basic_password(request)
        if password is not None:
            shown = hmac.digest(self._secret, password.encode("utf-8", "replace"), hashlib.sha256)
            if shown in self._basic:
                return None
            wait, right = await self._try(request, password)
            if wait:
                return error_answer(TOO_OFTEN.format(wait=wait), _TOO_MANY, {"Retry-After": str(wait)})
            if right:
                self._basic[shown] = None
                while len(self._basic) > KNOWN_BASIC:
                    self._basic.popitem(last=False)
                return None
        path = request.url.path
        wants_page = request.method == "GET" and "text/html" in request.headers.get("accept", "") and not path.startswith("/api/")
        if wants_page:
            wanted = path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"{LOGIN}?next={quote(wanted)}", 303, {"Cache-Control": NEVER})
        refused = error_answer(FIRST, _UNAUTHORIZED, {"WWW-Authenticate": "Bearer"})  # Basic would open the browser's own dialog
        refused.headers["X-Log-In"] = LOGIN
        return refused

    def _within(self, request: Request) -> bool:
        return self._sessions.holds(request.cookies.get(self._cookie, ""))

    async def _try(self, request: Request, password: str) -> tuple[int, bool]:
        """Seconds to wait (0: it was looked at), and whether it is the password."""
        address = request.client.host if request.client else ""
        wait = self._attempts.begin(address)
        if wait > 0:
            return math.ceil(wait), False
        if self._limiter is None:
            self._limiter = CapacityLimiter(TRIES_AT_ONCE)
        right = await to_thread.run_sync(matches, self._stored, password, limiter=self._limiter)
        if right:
            self._attempts.forgive(address)
        else:
            logger.warning("a wrong password from %s", address)
        return 0, right

    def _form(self, told: str, code: int, wait: int = 0) -> Response:
        headers = {
            "Cache-Control": NEVER,
            # A form of ours may be sent, and says where it comes from: no-referrer would make its Origin null.
            "Content-Security-Policy": HEADERS["Content-Security-Policy"].replace("form-action 'none'", "form-action 'self'"),
            "Referrer-Policy": "same-origin",
            **({"Retry-After": str(wait)} if wait else {}),
        }
        text = self._assets.text(PAGE).replace("{{told}}", html.escape(told)).replace("{{hidden}}", "" if told else "hidden")
        return Response(text, code, media_type="text/html", headers=headers)


def _from_our_page(request: Request) -> bool:
    """A form of another site must not log anybody in or out. Behind a proxy the page's own name is not what the browser calls it:
    there what the browser itself says of it counts (no site can set this header)."""
    said = request.headers.get("sec-fetch-site")
    return same_site(request.headers, request.url.scheme) if said is None else said in ("same-origin", "none")


def _form_password(body: bytes) -> str:
    """The password of a form as browsers send it; "" where there is none."""
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:  # it has more fields
        return ""
    return fields.get("password", [""])[0]


def _leave(request: Request) -> RedirectResponse:
    """To where the viewer wanted to go."""
    wanted = request.query_params.get("next", "/")
    return RedirectResponse(wanted if NEXT.fullmatch(wanted) else "/", 303, {"Cache-Control": NEVER})


def _basic_password(request: Request) -> str | None:
    """The password of an Authorization header of that kind; the name before it may be any."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(given.strip(), validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
