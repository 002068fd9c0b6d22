"""How a command tells a live run's simulated shop something: over the page's HTTP interface, with the token of the state file."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ..errors import EcomLiteError, NotRunning, UsageError
from ..settings.tree import Faults
from ..settings.values import share_of
from .lock import holder
from .state import read_state

TIMEOUT_S: Final = 5.0  # for each request
APPLY_S: Final = 5.0  # for the producer to take a change over
POLL_S: Final = 0.05
MAX_ANSWER_BYTES: Final = 65_536

# What can be switched, and what it does: the shares of [faults], all 0 by default.
FAULTS: Final = Faults.switches()


def in_force(data_dir: Path) -> dict[str, Any]:
    """What the shop of the live run is doing: {"rate", "paused", "faults": {those that are on}, "applied"}.

    Raises NotRunning, or EcomLiteError where the run has no simulated shop or does not answer.
    """
    return _ask(data_dir, "GET", None)


def change(
    data_dir: Path,
    wish: Mapping[str, object],
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Tell the shop, wait until its producer does it, and return what is then in force. Blocks up to about APPLY_S.

    Raises UsageError for a value that is refused, else as `in_force`.
    """
    give_up = clock() + APPLY_S
    now = _ask(data_dir, "POST", wish)
    while not now.get("applied", True):
        if clock() > give_up:
            raise EcomLiteError(
                f"the producer has not taken it over within {APPLY_S:g} s; it will once it runs again: see `ecom_lite status`"
            )
        wait(POLL_S)
        now = _ask(data_dir, "GET", None)
    return now


def fault_shares(words: list[str]) -> dict[str, float]:
    """`["late=5%", "malformed=0.01"]` as {"late": 0.05, "malformed": 0.01}; `["off"]` as all of them at 0.

    Raises UsageError, which says what there is.
    """
    if words == ["off"]:
        return dict.fromkeys(FAULTS, 0.0)
    shares: dict[str, float] = {}
    for word in words:
        name, equals, share = word.partition("=")
        if name not in FAULTS or not equals:
            problem = "no such fault" if equals else "write NAME=SHARE, such as late=5%, or off alone"
            raise UsageError(f"fault {word!r}: {problem}; there is: {', '.join(FAULTS)}")
        try:
            shares[name] = share_of(share)
        except ValueError as error:
            raise UsageError(f"fault {word!r}: {error}") from None
    return shares


def described(now: Mapping[str, Any]) -> str:
    """One line: `500 orders/s; faults: late 5%, malformed 1%`."""
    rate = now.get("rate")
    pace = {"max": "as fast as it goes", "natural": "by the shop's own clock", None: "unknown rate"}.get(rate, "")
    pace = pace or f"{float(rate or 0):,g} orders/s"
    faults = ", ".join(f"{name} {percent(share)}" for name, share in (now.get("faults") or {}).items() if share)
    return f"{'paused, then ' if now.get('paused') else ''}{pace}; faults: {faults or 'none'}"


def percent(share: float) -> str:
    """`5%`, `0.25%`."""
    return f"{share * 100:.6g}%"


def _ask(data_dir: Path, method: str, wish: Mapping[str, object] | None) -> dict[str, Any]:
    url, token = _where(data_dir)  # anew each time: a page that was restarted may have another port
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        connection.request(method, parts.path, None if wish is None else json.dumps(wish).encode(), headers)
        answer = connection.getresponse()
        content = json.loads(answer.read(MAX_ANSWER_BYTES))
        if not isinstance(content, dict):
            raise ValueError("the answer is no JSON object")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise EcomLiteError(
            f"the run does not answer at {url}: {error or type(error).__name__}; see `ecom_lite status`"
        ) from None
    finally:
        connection.close()
    if answer.status == http.client.OK:
        return content
    message = str(content.get("error") or f"it answered {answer.status} {answer.reason}")
    if answer.status == http.client.BAD_REQUEST:
        raise UsageError(message)
    if answer.status == http.client.UNAUTHORIZED:
        message = f"the run at {url} does not take the token in {data_dir}'s state file: it has just been restarted; try again"
    raise EcomLiteError(message)


def _where(data_dir: Path) -> tuple[str, str]:
    who = holder(data_dir)
    if who is None:
        raise NotRunning(f"nothing runs in {data_dir}: start with `ecom_lite run`")
    if who.get("purpose", "run") != "run":
        raise NotRunning(f"no run: `ecom_lite {who['purpose']}`, pid {who.get('pid')}, has {data_dir} for a moment")
    state = read_state(data_dir)
    url, token = str(state.get("control_url") or ""), str(state.get("control_token") or "")
    if not url.startswith("http://") or not token:
        raise EcomLiteError(f"the run in {data_dir} is still starting (or ending): see `ecom_lite status`")
    return url, token
