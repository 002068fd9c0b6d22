"""`run --detach`: the run in a session of its own; this process waits until it is ready, shows where to look, and returns."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..engines.child import finding_us, own_module
from ..errors import AlreadyRunning, EcomLiteError
from ..live.lock import holder, in_use
from ..live.state import RunState, control_link, forget_state, read_state
from ..settings.data_dir import LOGS, RUN_LOG
from ..settings.tree import Settings
from ..terminal.terminal import Terminal

POLL_S: Final = 0.1
FETCH_S: Final = 600.0  # the first start may have to fetch the jars
STOP_S: Final = 60.0
LAST_LINES: Final = 12


def run_detached(settings: Settings, arguments: Sequence[str], *, as_json: bool = False) -> None:
    """Start `ecom_lite <arguments>` in the background. Raises EcomLiteError with its last words when it does not get ready.

    With `as_json` the state of the run (pid, addresses, parts) is printed on stdout. Ctrl-C while it starts ends it again.
    """
    data_dir, terminal = settings.data_dir, Terminal()
    who = holder(data_dir)
    if who is not None:
        raise AlreadyRunning(in_use(data_dir, who))
    log = data_dir / LOGS / RUN_LOG
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        forget_state(data_dir)
        with log.open("ab") as output:  # appended to, so that the run can cut it (life.py)
            output.truncate(0)
            child = subprocess.Popen(
                own_module("ecom_lite", *arguments), env=finding_us(os.environ),
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        raise EcomLiteError(
            f"the data folder {data_dir} cannot be used: {error.strerror}; choose another by --data-dir"
        ) from None
    try:
        with terminal.busy(f"starting in the background, pid {child.pid}"):
            state = _wait_running(child, data_dir, log, settings.run.ready_timeout_s + FETCH_S)
    except BaseException:
        child.terminate()
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
        raise
    if as_json:
        print(state.as_json())
        return
    terminal.say(f"ecom_lite runs in the background, pid {child.pid}", "bold green")
    link = control_link(state.addresses.get("dashboards", ""), state.control_token) if terminal.is_screen else {}
    terminal.addresses({**state.addresses, **link})
    terminal.say("  `ecom_lite status`, `ecom_lite logs -f` and `ecom_lite stop` serve it", "dim")


def _wait_running(child: subprocess.Popen[bytes], data_dir: Path, log: Path, limit_s: float) -> RunState:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        code = child.poll()
        if code == 0:
            return read_state(data_dir) or RunState()  # a bounded run that is through already
        if code is not None:
            last = "\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:])
            raise EcomLiteError(f"the run ended with exit code {code} before it was ready; the end of {log}:\n{last}")
        state = read_state(data_dir)
        if state is not None and state.pid == child.pid and state.state in ("running", "draining"):
            return state
        time.sleep(POLL_S)
    raise EcomLiteError(f"the run was not ready in time and was ended; see {log}")
