"""`run --detach`: the run in a session of its own; this process waits until it is ready, shows where to look, and returns."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Final

from .config import Settings
from .errors import AlreadyRunning, EcomLiteError
from .supervise.lock import holder
from .supervise.state import read_state

POLL_S: Final = 0.1
LOG: Final = "run.log"


def run_detached(settings: Settings, arguments: Sequence[str]) -> None:
    """Start `ecom_lite <arguments>` in the background. Raises EcomLiteError with its last words when it does not get ready."""
    data_dir = settings.data_dir
    who = holder(data_dir)
    if who is not None:
        raise AlreadyRunning(
            f"{data_dir} is in use by pid {who.get('pid', 'unknown')}: see `ecom_lite status`, end it with `ecom_lite stop`"
        )
    log = data_dir / "logs" / LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "ecom_lite", *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + settings.run.ready_timeout_s + 600  # the first start may fetch the jars
    while time.monotonic() < deadline:
        code = child.poll()
        if code is not None:
            raise EcomLiteError(
                f"the run ended with exit code {code} before it was ready; the end of {log}:\n{_tail(log.read_text())}"
            )
        state = read_state(data_dir)
        if state.get("pid") == child.pid and state.get("state") == "running":
            print(f"ecom_lite runs in the background, pid {child.pid}")
            for name, where in state.get("addresses", {}).items():
                print(f"  {name}: {where}")
            print("`ecom_lite status`, `ecom_lite logs -f` and `ecom_lite stop` serve it")
            return
        time.sleep(POLL_S)
    child.terminate()
    raise EcomLiteError(f"the run was not ready in time; see {log}")


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-12:])
