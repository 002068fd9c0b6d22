"""The one client of a run that is up: asks it over the page's HTTP interface, with the token of the state file."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import msgspec

from ..errors import EcomLiteError, TransformError, UsageError
from ..observe.figures import ControlAnswer
from ..settings.override import ShopOverride
from .lock import require_run
from .state import read_state

TIMEOUT_S: Final = 30.0  # for each answer: a busy machine may stand still for some seconds
REFRESH_TIMEOUT_S: Final = 3600.0  # without a word: dbt may work on one model for long
APPLY_S: Final = 30.0  # for the producer to take an override over; one that is frozen is ended after as long
POLL_S: Final = 0.05
MAX_ANSWER_BYTES: Final = 65_536
CONTROL: Final = "api/control"
REFRESH: Final = "api/refresh"


class _Refusal(msgspec.Struct):
    error: str = ""


class LiveRun:
    """The run that holds a data folder. Its methods raise NotRunning, or EcomLiteError where it does not answer."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def in_force(self) -> ControlAnswer:
        """What its simulated shop is doing."""
        return self._ask("GET", CONTROL, None)

    def change(
        self,
        override: ShopOverride,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> ControlAnswer:
        """Override settings of the shop, wait until its producer does it, and return what is then in force.

        Blocks up to about APPLY_S. Raises UsageError for a value that is refused.
        """
        give_up = clock() + APPLY_S
        now = self._ask("POST", CONTROL, msgspec.json.encode(override))
        while not now.applied:
            if clock() > give_up:
                raise EcomLiteError(
                    f"the producer has not taken it over within {APPLY_S:g} s; it will once it runs again: see `ecom_lite status`"
                )
            wait(POLL_S)
            now = self.in_force()
        return now

    def refresh(
        self, *, full_refresh: bool, select: Sequence[str] = (), said: Callable[[str], None] = lambda text: None
    ) -> dict[str, Any]:
        """Have the run build its marts, or `select` of them, where dbt is warm; returns the figures of that dbt run. Blocks until
        it is done.

        `said` hears what it waits for, and each model as it finishes. Raises TransformError where dbt cannot run at all,
        UsageError where there is no such model.
        """
        body = json.dumps({"full": full_refresh, "select": list(select)}).encode()
        with self._answer("POST", REFRESH, body, REFRESH_TIMEOUT_S) as answer:
            for line in answer:
                told = json.loads(line)
                if "said" in told:
                    said(str(told["said"]))
                elif "error" in told:
                    raise TransformError(str(told["error"]))
                else:
                    return dict(told["run"])
        raise EcomLiteError("the run ended before the marts were built; see `ecom_lite logs`")

    def _ask(self, method: str, path: str, body: bytes | None) -> ControlAnswer:
        with self._answer(method, path, body, TIMEOUT_S) as answer:
            return msgspec.json.decode(answer.read(MAX_ANSWER_BYTES), type=ControlAnswer)

    @contextmanager
    def _answer(self, method: str, path: str, body: bytes | None, timeout_s: float) -> Iterator[http.client.HTTPResponse]:
        page, token = self._where()  # anew each time: a page that was restarted may have another port
        url = urljoin(page, path)
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            connection.request(method, parts.path, body, headers)
            answer = connection.getresponse()
            if answer.status == http.client.OK:
                yield answer
                return
            said = msgspec.json.decode(answer.read(MAX_ANSWER_BYTES), type=_Refusal).error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EcomLiteError(
                f"the run does not answer at {url}: {error or type(error).__name__}; see `ecom_lite status`"
            ) from None
        finally:
            connection.close()
        message = said or f"it answered {answer.status} {answer.reason}"
        if answer.status == http.client.BAD_REQUEST:
            raise UsageError(message)
        if answer.status == http.client.UNAUTHORIZED:
            where = f"the token in {self._data_dir}'s state file"
            message = f"the run at {url} does not take {where}: it has just been restarted; try again"
        if answer.status == http.client.NOT_FOUND:
            message = f"the run does not answer at {url}: {message}; is it of another version of ecom_lite?"
        raise EcomLiteError(message)

    def _where(self) -> tuple[str, str]:
        """The page's address and the token."""
        require_run(self._data_dir)
        state = read_state(self._data_dir)
        url, token = ("", "") if state is None else (state.control_url, state.control_token)
        if not url.startswith("http://") or not token:
            raise EcomLiteError(f"the run in {self._data_dir} is still starting (or ending): see `ecom_lite status`")
        return url.removesuffix(CONTROL), token
