"""The victim processes of a round, loaders or producers: started, struck, stopped, awaited; spares wait, all imported."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Protocol

from ..engines.child import Child, ChildRegistry
from ..settings.show import dump_settings
from ..settings.tree import Settings
from ..warehouse.connect import Address
from .expect import Violation, wait_until

STOP_S: Final = 45.0
TAIL_LINES: Final = 12


class Victim:
    """One process of what is to be struck. `figures` is its newest report."""

    def __init__(self, what: str, module: str, log: Path, registry: ChildRegistry) -> None:
        self._what = what
        self._child = Child(
            what, [sys.executable, "-m", module], log=log, stdin_pipe=True, stdout="pipe",
            cwd=Path(__file__).parents[2], registry=registry,
        )  # fmt: skip
        self._child.start()
        self.name = "spare"
        self.figures: dict[str, Any] = {}
        self.struck = False  # it has reached the point that it was told
        self.error = ""
        self.ended_by_us = False
        self.dies_at_point = False
        self.was_killed = False
        self._reader = threading.Thread(target=self._read, name="victim-out", daemon=True)
        self._reader.start()

    def begin(self, name: str, job: Mapping[str, Any]) -> None:
        self.name = name
        self.dies_at_point = bool(job["strike"]) and job["strike"]["act"] == "kill"
        self._tell(job)

    def _tell(self, message: Mapping[str, Any]) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write((json.dumps(message) + "\n").encode())
        self._child.stdin.flush()

    def _read(self) -> None:
        out = self._child.stdout
        assert out is not None
        try:
            for line in out:
                said = json.loads(line)
                if "at" in said:
                    self.struck = True
                elif "error" in said:
                    self.error = str(said["error"])
                elif "done" not in said:
                    self.figures = said
        except (OSError, ValueError):
            return  # killed while it spoke

    @property
    def alive(self) -> bool:
        return self._child.alive

    @property
    def partitions(self) -> int:
        return int(self.figures.get("partitions", 0))

    def hear_out(self) -> None:
        """It has ended: what it has said last, such as that it came to its point, may still be on its way to us."""
        self._reader.join(STOP_S)

    def log_has(self, words: str) -> bool:
        return words in self._child.log_tail(1000)

    def log_tail(self) -> str:
        return self._child.log_tail(TAIL_LINES)

    def go_on(self) -> None:
        """After a wait at a point."""
        self._tell({"go": True})

    def signal(self, number: signal.Signals) -> None:
        pid = self._child.pid
        if pid is not None:
            os.kill(pid, number)

    def kill(self) -> None:
        self.ended_by_us = self.was_killed = True
        self._child.kill()

    def wait_killed(self) -> None:
        """Until the SIGKILL that it was due, by itself or by a proxy, has ended it."""
        self.ended_by_us = self.was_killed = True
        wait_until(lambda: not self.alive, f"{self.name} to be dead", STOP_S)
        self._child.kill()  # closes the pipes

    def finish(self) -> None:
        """End it gracefully: it drains what the topic holds. Violation when it cannot."""
        began = time.monotonic()
        self.let_finish()
        code = self._child.wait(STOP_S)
        if code is None:
            tail = self.log_tail()
            self.kill()
            raise Violation(self._what, "a graceful stop", f"{self.name} still runs {time.monotonic() - began:.0f} s later", tail)
        self._child.kill()  # closes the pipes
        if code != 0:
            found = f"{self.name}: exit code {code}: {self.error}"
            raise Violation(self._what, "a graceful stop, exit code 0", found, self.log_tail())

    def wait_done(self, patience_s: float) -> None:
        """Until it has come to its end by itself, and in good order. Violation when it does not."""
        code = self._child.wait(patience_s)
        self.ended_by_us = True
        if code is None:
            tail = self.log_tail()
            self.kill()
            raise Violation(self._what, "it comes to its end", f"{self.name} still runs {patience_s:g} s later", tail)
        self.hear_out()
        self._child.kill()  # closes the pipes
        if code != 0:
            found = f"{self.name}: exit code {code}: {self.error}"
            raise Violation(self._what, "it comes to its end, exit code 0", found, self.log_tail())

    def wait_refused(self, patience_s: float) -> None:
        """Until it has ended with an error, as it must when another has taken its place. Violation when it does not."""
        code = self._child.wait(patience_s)
        self.ended_by_us = True
        self._child.kill()
        if not code:
            found = f"{self.name}: " + ("it goes on" if code is None else "it ended as if all were well")
            raise Violation(self._what, "it ends with an error", found, self.log_tail())

    def let_finish(self) -> None:
        """Tell it to drain and stop, and do not wait for it."""
        self.ended_by_us = True
        if self._child.stdin is not None:
            self._child.stdin.close()

    def require_alive(self) -> None:
        """One that nobody has ended must not end, whatever happens around it."""
        if self.ended_by_us or self.alive:
            return
        self.hear_out()
        if not (self.struck and self.dies_at_point):
            found = f"{self.name} ended by itself, code {self._child.returncode}: {self.error}"
            raise Violation(self._what, "it carries on", found, self.log_tail())


class Engine(Protocol):
    """A server that can be killed and started again."""

    def kill(self) -> object: ...
    def start(self) -> object: ...


def kill_beside(engine: Engine, victim: Victim) -> None:
    """SIGKILL and restart of a server, while the victim is at its point, and goes on from there."""
    engine.kill()
    victim.go_on()
    engine.start()


class Nursery:
    """Makes victims; one spare is always being imported while the round goes on."""

    def __init__(self, what: str, module: str, logs: Path, registry: ChildRegistry) -> None:
        self._what, self._module, self._logs, self._registry, self._made = what, module, logs, registry, 0
        self._spare = self._make()

    def _make(self) -> Victim:
        self._made += 1
        return Victim(self._what, self._module, self._logs / f"{self._what}-{self._made:04}.log", self._registry)

    def start(
        self, name: str, settings: Settings, address: Address, bootstrap: str, *, strike: Mapping[str, Any] | None, **job: object
    ) -> Victim:
        """`job` is what this kind of victim must know beside that."""
        victim, self._spare = self._spare, self._make()
        everyone = {"settings": dump_settings(settings), "address": asdict(address.by_value()), "bootstrap": bootstrap}
        victim.begin(name, {**everyone, "strike": strike, **job})
        return victim

    def close(self) -> None:
        self._spare.kill()


def wait_for(victims: list[Victim], condition: Callable[[], Any], what: str, patience_s: float) -> Any:
    """The first true value of `condition`, while all of them that should live do."""

    def checked() -> Any:
        found = condition()
        if not found:
            for victim in victims:
                victim.require_alive()
        return found

    return wait_until(checked, what, patience_s)
