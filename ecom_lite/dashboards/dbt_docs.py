"""GET /dbt/: dbt's documentation of the marts, one file, made in the background when it is first asked for."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from ..errors import EcomLiteError
from .answers import NEVER, error_answer
from .assets import Assets

logger = logging.getLogger("ecom_lite.dashboards")

LOOK_S: Final = 60.0  # how often it is looked whether the page is out of date, when it is asked for
RETRY_S: Final = 10.0
RETRY_AFTER_S: Final = "1"
MEDIA_TYPE: Final = "text/html; charset=utf-8"
WAITING: Final = "dbt_docs_waiting.html"
_COMPRESSION: Final = 6
_SCRIPT: Final = re.compile(r"<script[^>]*>(.*?)</script>", re.DOTALL)
_BROKEN_ICON: Final = re.compile(r'<link rel="shortcut icon"[^>]*/>')  # dbt's template names a file that nobody has
# dbt's page has its scripts, styles and pictures in itself: nothing else is run, and nothing is fetched.
_POLICY: Final = (
    "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Rendered:
    """The page as it is sent."""

    gzipped: bytes
    policy: str
    etag: str


def rendered(text: str, etag: str) -> Rendered:
    """dbt's file, with the hashes of the scripts that stand in it."""
    text = _BROKEN_ICON.sub("", text)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in _SCRIPT.findall(text)]
    policy = _POLICY.format(scripts=" ".join(f"'sha256-{each}'" for each in hashes) or "'none'")
    return Rendered(gzip.compress(text.encode(), _COMPRESSION), policy, f'"{etag}"')


class DbtDocs:
    """`make` gives the file, which it makes where it is not there or out of date: that takes seconds, on a thread of its own.

    Nothing is made before somebody asks. For any thread.
    """

    def __init__(self, make: Callable[[], Path], clock: Callable[[], float] = time.monotonic) -> None:
        self._make = make
        self._clock = clock
        self._lock = threading.Lock()
        self._at_work = False
        self._look_at = 0.0
        self._path: Path | None = None
        self._page: Rendered | None = None
        self._failure = ""

    def page(self) -> tuple[Rendered | None, str]:
        """The page, None where there is none yet, and why it could not be made, "" where it could. Does not block."""
        with self._lock:
            if not self._at_work and self._clock() >= self._look_at:
                self._at_work = True
                threading.Thread(target=self._work, name="dbt docs", daemon=True).start()
            return self._page, self._failure

    def _work(self) -> None:
        path, page, failure = self._path, self._page, ""
        try:
            path = self._make()
            if path != self._path:
                page = rendered(path.read_text("utf-8"), path.stem)
        except (EcomLiteError, OSError) as error:
            failure = str(error)
            logger.warning("%s", failure)
        except Exception as error:  # dbt's own, unforeseen: the page is asked for again, and says it
            failure = f"{type(error).__name__}: {error}"
            logger.exception("dbt's documentation could not be made")
        with self._lock:
            self._path, self._page, self._failure = path, page, failure
            self._look_at = self._clock() + (RETRY_S if failure else LOOK_S)
            self._at_work = False


def dbt_docs_endpoint(docs: DbtDocs | None, assets: Assets) -> Callable[[Request], Any]:
    """The route's handler."""

    async def show_docs(request: Request) -> Response:
        """dbt's documentation of the models: what each is, its columns, tests, SQL and what it is made from; one HTML file, which
        needs nothing else: 200. 503, with `Retry-After` and a page that asks again by itself, while it is being made (when it is
        first asked for, and when the project or the columns are other ones) or where it cannot be made: the page says why.

        404: this page belongs to no run."""
        if docs is None:
            return error_answer("this page belongs to no run: there are no models to show", 404)
        page, failure = docs.page()
        if page is None:
            body = assets.text(WAITING).replace("{{failure}}", html.escape(failure)).encode()
            return Response(body, 503, {"Retry-After": RETRY_AFTER_S, "Cache-Control": NEVER}, MEDIA_TYPE)
        headers = {
            "Content-Security-Policy": page.policy, "Cache-Control": "no-cache", "ETag": page.etag, "Vary": "Accept-Encoding",
        }  # fmt: skip
        if request.headers.get("if-none-match") == page.etag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(page.gzipped, headers={**headers, "Content-Encoding": "gzip"}, media_type=MEDIA_TYPE)
        return Response(gzip.decompress(page.gzipped), headers=headers, media_type=MEDIA_TYPE)

    return show_docs
