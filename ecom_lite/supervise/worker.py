"""One of our own loops in a Python process of its own: its settings go in by stdin, its figures come out by stdout."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec

from ..engines.child import Child, finding_us, inherited, own_module
from ..engines.registry import ChildRegistry
from ..errors import EcomLiteError, UsageError
from ..observe.figures import WorkerReport
from ..observe.health import SILENT_S, Health

POLL_S: Final = 0.2
FROZEN_S: Final = 30.0  # without a report: it will not come back by itself, or not soon
HEAR_OUT_S: Final = 5.0  # ends with the pipe, which is at once where the machine is not busy


F = TypeVar("F", bound=msgspec.Struct)


class WorkerService(Generic[F]):
    """Runs `python -m <module> <role>` as a supervised child.

    The child reads one JSON line from stdin (so no password stands in a command line or an environment), then what `send`
    writes, and ends when stdin closes; it prints one WorkerReport a second, and is not well when it stops doing so. `figures` is
    the type of what it reports. `prepare` starts the process ahead of its job, so that it imports what it needs while Kafka is
    still starting. `name` tells several of one role apart.
    """

    def __init__(
        self,
        module: str,
        role: str,
        job: Callable[[], msgspec.Struct],
        figures: type[F],
        *,
        name: str | None = None,
        log: Path,
        registry: ChildRegistry | None,
        ready_s: float,
        stop_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name or role
        self._job = job
        self._ready_s = ready_s
        self._stop_s = stop_s
        self._clock = clock
        self._no_figures = figures()
        self._decoder = msgspec.json.Decoder(WorkerReport[figures])  # type: ignore[valid-type]
        self._told: tuple[tuple[F, ...], WorkerReport[F] | None] = ((), None)  # in one step: whoever adds up misses none
        self._heard = clock()
        self._ready = threading.Event()
        self._reader: threading.Thread | None = None
        self._writing = threading.Lock()
        self._has_job = False
        self.child = Child(
            self.name,
            own_module(module, role),
            log=log,
            env=finding_us(inherited()),
            stdin_pipe=True,
            stdout="pipe",
            registry=registry,
        )

    def prepare(self) -> None:
        if not self.child.alive:
            self.child.start()

    def start(self) -> None:
        self._ready.clear()
        earlier, report = self._told
        self._told, self._heard = (earlier if report is None else (*earlier, report.figures), None), self._clock()
        with self._writing:  # a message comes either in the job or after it
            self._has_job = False
            self.prepare()
            try:
                self._write(self._job())
                self._has_job = True
            except (OSError, ValueError) as error:  # it died, or `stop` closed the pipe
                raise self._death() from error
        self._reader = threading.Thread(target=self._read, name=f"read-{self.name}", daemon=True)
        self._reader.start()
        give_up = time.monotonic() + self._ready_s
        while not self._ready.wait(POLL_S):
            if not self.child.alive:
                self._hear_out()
                if self._ready.is_set():  # it had little to do
                    return
                raise self._death()
            if time.monotonic() > give_up:
                raise EcomLiteError(f"{self.name} was not ready after {self._ready_s:g} s; see `ecom_lite logs {self.name}`")

    def run(self, stop: threading.Event) -> None:
        """Until `stop` or its death. One that is frozen is ended, so that it is started again: it holds what others wait for."""
        looked = self._clock()
        while not stop.wait(POLL_S):
            now = self._clock()
            if now - looked > SILENT_S:  # it was we who stood still
                self._heard = now
            looked = now
            if self.child.alive and now - self._heard > FROZEN_S and not (self.report is not None and self.report.done):
                self.child.kill()
                raise EcomLiteError(f"{self.name} was silent for {FROZEN_S:g} s, as if frozen, and was ended")
            if not self.child.alive:
                self._hear_out()
                if self.child.returncode == 0 and self.report is not None and self.report.done:
                    stop.wait()  # it had a fixed amount to do and has done it
                    return
                raise self._death()
            self.child.bound_log()

    def stop(self) -> None:
        stdin = self.child.stdin
        if self.child.alive and stdin is not None and not stdin.closed:
            try:
                stdin.close()  # the child finishes what it has in hand
            except OSError:
                pass
            if self.child.wait(self._stop_s) is not None:
                self._hear_out()  # before the pipe is closed: its last figures are in there
        self.child.stop(grace_s=2)
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join(timeout=2)

    def kill(self) -> None:
        """End the process without a word: the supervisor sees it die."""
        self.child.kill()

    def send(self, message: msgspec.Struct) -> None:
        """Write the child one more line. Where none listens it is lost: the next child's job must hold it too."""
        with self._writing:
            if self._has_job:
                with suppress(OSError, ValueError):
                    self._write(message)

    def _write(self, message: msgspec.Struct) -> None:
        stdin = self.child.stdin
        assert stdin is not None
        stdin.write(msgspec.json.encode(message) + b"\n")
        stdin.flush()

    @property
    def report(self) -> WorkerReport[F] | None:
        """The newest one of this child, also when it has died."""
        return self._told[1]

    @property
    def lives(self) -> tuple[Sequence[F], F]:
        """The last figures of each child before this one, and this one's, at one moment."""
        earlier, report = self._told
        return earlier, self._no_figures if report is None else report.figures

    @property
    def figures(self) -> F:
        """Of this child, also when it has died; empty ones before its first report."""
        return self.lives[1]

    @property
    def last_figures(self) -> F:
        """The newest ones there are, though they be of an earlier child."""
        earlier, report = self._told
        return report.figures if report is not None else earlier[-1] if earlier else self._no_figures

    def health(self) -> Health:
        report, silent_s = self.report, self._clock() - self._heard
        if report is not None and report.done:
            return Health(True, "", report.figures, done=True)
        if not self.child.alive:
            return Health(False, "not running", self.figures)
        problem = f"silent for {silent_s:.0f} s" if silent_s > SILENT_S else "" if report is None else report.waiting_for
        return Health(not problem, problem, self.figures, self.child.pid)

    def _read(self) -> None:
        stdout = self.child.stdout
        assert stdout is not None
        try:
            for line in stdout:
                self._take(line)
        except ValueError:
            pass  # closed under us by `stop`

    def _take(self, line: bytes) -> None:
        try:
            report = self._decoder.decode(line)
        except msgspec.MsgspecError:
            return  # something else that was printed
        self._told, self._heard = (self._told[0], report), self._clock()
        if report.ready:
            self._ready.set()

    def _hear_out(self) -> None:
        """It has ended: what it has said last may still be on its way to us."""
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join(timeout=HEAR_OUT_S)

    def _death(self) -> EcomLiteError:
        self._hear_out()
        report = self.report
        if report is not None and report.error:
            return (UsageError if report.exit_code == UsageError.exit_code else EcomLiteError)(report.error)
        return self.child.failure("at work")
