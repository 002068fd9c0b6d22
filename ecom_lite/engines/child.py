"""Owns one server process that we start: its birth, its log, its death, and that it never outlives us."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Literal

import psutil

from ecom_lite.engines.log_file import LIMIT_BYTES, bound, open_log
from ecom_lite.engines.registry import ChildRegistry
from ecom_lite.errors import EngineError
from ecom_lite.system import account_for, life_line

__all__ = ["Child", "ChildRegistry"]

LAUNCHER = Path(__file__).with_name("launch.py")
PACKAGE_ROOT = str(Path(__file__).parents[2])
TAIL_BYTES = 64 << 10
TAIL_LINES = 200
SHOWN_LINES = 12
TELLING_WORDS = ("FATAL", "ERROR", "PANIC", "Exception:", "Caused by:", "Error:", "ecom_lite launcher:")
REAP_S = 30.0  # on a busy machine a killed process gets no CPU to end on for a while


def inherited(*but: str) -> dict[str, str]:
    """The environment for a child: ours without settings of ours (ECOM_LITE_SECTION__KEY), among which are passwords that are
    none of its business, and without names that begin with one of `but`."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(but) and not (name.startswith("ECOM_LITE_") and "__" in name)
    }


def own_module(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of ours, with `finding_us` in its environment. Nothing is imported from the working
    directory (-P): a file there may have the name of any module, and be anybody's."""
    return [sys.executable, "-P", "-m", module, *arguments]


def finding_us(env: Mapping[str, str]) -> dict[str, str]:
    """The environment, in which a Python finds this very package, installed or not."""
    return {**env, "PYTHONPATH": os.pathsep.join(filter(None, [PACKAGE_ROOT, env.get("PYTHONPATH", "")]))}


class _Spawner:
    """One daemon thread that starts every child: the parent-death signal fires when the *thread* that forked ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: queue.SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]]
        self._jobs = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def spawn(self, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        """Run `start` on the spawner thread and return, or raise, what it does."""
        done: Future[subprocess.Popen[bytes]] = Future()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="spawner", daemon=True)
                self._thread.start()
            self._jobs.put((start, done))
        return done.result()

    def _loop(self) -> None:
        while True:
            start, done = self._jobs.get()
            try:
                done.set_result(start())
            except BaseException as error:  # handed to the caller's thread
                done.set_exception(error)
            del start, done


_spawner = _Spawner()


def _forget_threads() -> None:
    global _spawner
    _spawner = _Spawner()


os.register_at_fork(after_in_child=_forget_threads)


class Child:
    """A server process that we start and own. Methods may be called from any thread.

    `argv[0]` is a path or a name on PATH. Output is appended to `log`; with `stdout="pipe"` only stderr is, and
    `stdout` is a pipe. `user` (only when we are root) is the account it runs as. It has a session of its own, so that Ctrl-C in
    the terminal does not reach it, and gets `death_signal` when we die, however we die.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        stdin_pipe: bool = False,
        stdout: Literal["log", "pipe"] = "log",
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
        registry: ChildRegistry | None = None,
    ) -> None:
        self.name = name
        self.argv = [str(part) for part in argv]
        self.log = log
        self.stop_signal = stop_signal
        self._env = inherited() if env is None else dict(env)
        self._cwd = cwd
        self._user = user
        self._stdin_pipe = stdin_pipe
        self._stdout = stdout
        self._death_signal = death_signal
        self._registry = registry
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._log_from = 0

    def start(self) -> None:
        """Start the program; returns once it is spawned, which does not mean that it is ready.

        May be called again after it has ended. Raises EngineError when it runs already or cannot be started, and OSError,
        which names the file, when it cannot be logged or recorded; nothing runs then.
        """
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                raise EngineError(f"{self.name} is running already (pid {self._process.pid}).")
            program = shutil.which(self.argv[0])
            if program is None:
                raise EngineError(f"{self.name} cannot start: {self.argv[0]} is no executable file or name on PATH.")
            account, life = account_for(self._user) if self._user is not None else None, life_line.reading_end()
            ids = ("-", "-") if account is None else (str(account.uid), str(account.gid))
            command = [
                *(sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), "-" if life is None else str(life)),
                *(str(int(self._death_signal)), *ids, "--", os.path.abspath(program), *self.argv[1:]),
            ]
            bound(self.log, LIMIT_BYTES)
            with open_log(self.log, self.name) as log:
                self._log_from = os.fstat(log.fileno()).st_size
                self._process = _spawner.spawn(lambda: self._popen(command, log, () if life is None else (life,)))
        if self._registry is not None:
            try:
                self._registry.add(self._process.pid, self.name)
            except OSError:  # nobody would find it after our death
                self._end(self._process)
                raise

    def _popen(self, command: list[str], log: IO[bytes], passed: tuple[int, ...]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE if self._stdin_pipe else subprocess.DEVNULL,
                stdout=subprocess.PIPE if self._stdout == "pipe" else log,
                stderr=log,
                env=self._env,
                cwd=self._cwd,
                start_new_session=True,
                pass_fds=passed,
            )
        except OSError as error:
            raise EngineError(f"{self.name} cannot start in {self._cwd or Path.cwd()}: {error}") from error

    @property
    def alive(self) -> bool:
        """True from `start()` until the process ends."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process id while it lives, else None."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def returncode(self) -> int | None:
        """The exit code of the last run (minus the signal number when killed); None before start and while it runs."""
        return None if self._process is None else self._process.poll()

    @property
    def stdin(self) -> IO[bytes] | None:
        """The child's stdin, with `stdin_pipe=True`."""
        return None if self._process is None else self._process.stdin

    @property
    def stdout(self) -> IO[bytes] | None:
        """The child's stdout, with `stdout="pipe"`."""
        return None if self._process is None else self._process.stdout

    def stop(self, grace_s: float = 10.0, by: signal.Signals | None = None) -> bool:
        """Send the stop signal, or `by`, wait up to `grace_s`, then kill. True when it ended within the grace.

        Blocks until the process is gone. Safe before `start()`, after a crash, twice, and from several threads.
        """
        process = self._process
        if process is None:
            return True
        graceful = True
        if process.poll() is None:
            process.send_signal(by or self.stop_signal)
            try:
                process.wait(grace_s)
            except subprocess.TimeoutExpired:
                graceful = False
        self._end(process)
        return graceful

    def kill(self) -> None:
        """Kill the process and its group now and wait until it is gone. Safe before `start()`, after a crash, twice."""
        if self._process is not None:
            self._end(self._process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            if process.poll() is None:
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    process.kill()
                try:
                    process.wait(REAP_S)
                except subprocess.TimeoutExpired:
                    raise EngineError(f"{self.name} (pid {process.pid}) does not end, not even by SIGKILL.") from None
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except OSError:
                        pass
            if self._registry is not None:
                self._registry.remove(process.pid)

    def wait(self, timeout_s: float) -> int | None:
        """Wait up to `timeout_s` for the process to end by itself; its exit code, or None when it still runs."""
        if self._process is None:
            return None
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def failure(self, doing: str, cause: BaseException | str | None = None) -> EngineError:
        """An error that says what this child did not do, why as far as its log tells, and where the log is."""
        code = self.returncode
        lines = self.log_tail(TAIL_LINES).splitlines()
        telling = [line.strip() for line in lines if any(word in line for word in TELLING_WORDS)]
        state = f"ended with exit code {code}" if code is not None else "runs, but gave no sign of life"
        why = f" Cause: {telling[-1]}" if telling else f" Last error: {cause}" if cause else ""
        tail = "\n  ".join(lines[-SHOWN_LINES:]) or "(empty)"
        return EngineError(f"{self.name} {state} while {doing}.{why}\nThe end of its log {self.log}:\n  {tail}")

    def rss_bytes(self) -> int:
        """Resident memory of the process plus what its children do not share with it; 0 when it does not run."""
        pid = self.pid
        if pid is None:
            return 0
        try:
            process = psutil.Process(pid)
            total = int(process.memory_info().rss)
            for member in process.children(recursive=True):
                try:
                    memory = member.memory_info()
                    total += max(int(memory.rss) - int(getattr(memory, "shared", 0)), 0)
                except psutil.Error:
                    continue
            return total
        except psutil.Error:
            return 0

    def bound_log(self) -> None:
        """Keep its log within LIMIT_BYTES, one older generation aside. Who watches the child calls it again and again."""
        if bound(self.log, LIMIT_BYTES):
            self._log_from = 0

    def log_tail(self, n: int = 20) -> str:
        """The last `n` lines that the last run wrote to the log, or an empty string."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(self.log.stat().st_size - TAIL_BYTES, self._log_from))
                return "\n".join(deque(log.read().decode("utf-8", "replace").splitlines(), maxlen=n))
        except OSError:
            return ""
