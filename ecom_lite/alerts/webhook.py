"""Changes of alerts to a web address: one POST with the JSON for each. The address may hold a secret, and is never told."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from .. import __version__
from ..errors import first_line
from .delivery import Undelivered
from .message import AlertMessage

GOOD: Final = range(200, 300)
ENOUGH_S: Final = 10.0  # then the next pass goes on: whoever stops the run need not wait for all of them


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A POST that is sent on would arrive as a GET, and perhaps elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Webhook:
    """`header` is a line such as `Authorization: Bearer ...`, or empty. Each request takes `timeout_s` at most."""

    name = "webhook"

    def __init__(self, url: str, header: str, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._url = url
        self._headers = {"Content-Type": "application/json", "User-Agent": f"ecom_lite/{__version__}"}
        if header:
            name, _, value = header.partition(":")
            self._headers[name.strip()] = value.strip()
        self._timeout_s = timeout_s
        parts = urlsplit(url)
        self.place = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}/..."  # for people: no secret
        self._opener = urllib.request.build_opener(_NoRedirect)

    def send(self, messages: Sequence[AlertMessage]) -> int:
        began = self._clock()
        for number, message in enumerate(messages):
            if number and self._clock() - began > ENOUGH_S:
                return number
            try:
                self._send(message)
            except Undelivered as error:
                raise Undelivered(str(error), number, one=True) from None
        return len(messages)

    def _send(self, message: AlertMessage) -> None:
        request = urllib.request.Request(self._url, message.encoded(), self._headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                if answer.status not in GOOD:
                    raise Undelivered(f"{self.place} answered {answer.status}")
        except urllib.error.HTTPError as error:
            error.close()
            raise Undelivered(f"{self.place} answered {error.code} {error.reason}") from None
        except urllib.error.URLError as error:
            raise Undelivered(f"{self.place}: {self._bare(first_line(str(error.reason)))}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Undelivered(f"{self.place}: {self._bare(first_line(error))}") from None

    def _bare(self, text: str) -> str:
        return text.replace(self._url, self.place)
