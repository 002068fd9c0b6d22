"""A server that begins to start before its supervisor does."""

from threading import Event, Thread

import pytest

from ecom_lite.errors import EngineError
from ecom_lite.supervise.adapters import EngineService
from ecom_lite.supervise.supervisor import Supervisor

PATIENCE_S = 20.0


class Engine:
    """Its start takes until `up` is set, or it is stopped."""

    def __init__(self, error: str = "") -> None:
        self.up, self.begun, self._stopped = Event(), Event(), Event()
        self.starts = self.stops = 0
        self.alive = False
        self.pid = None
        self._error = error

    def start(self) -> None:
        self.starts += 1
        self._stopped.clear()
        self.begun.set()
        while not self.up.wait(0.01):
            if self._stopped.is_set():
                raise EngineError("called off")
        if self._error:
            raise EngineError(self._error)
        self.alive = True

    def stop(self) -> None:
        self.stops += 1
        self._stopped.set()
        self.alive = False

    def kill(self) -> None:
        self.alive = False

    def log_tail(self, n: int = 20) -> str:
        return ""

    def bound_log(self) -> None:
        pass


def supervisor_of(service: EngineService) -> Supervisor:
    supervisor = Supervisor(restarts=0, restart_window_s=60, ready_timeout_s=PATIENCE_S, listener=lambda *_: None)
    supervisor.add(service)
    return supervisor


def test_a_start_ahead_is_the_one_that_the_supervisor_waits_for() -> None:
    engine, followed = Engine(), Event()
    service = EngineService("kafka", engine)
    supervisor = supervisor_of(service)
    service.ahead(followed.set)
    assert engine.begun.wait(PATIENCE_S) and not followed.is_set()
    engine.up.set()
    assert supervisor.start() and followed.is_set() and engine.starts == 1
    assert supervisor.slot("kafka").started_s > 0
    supervisor.stop()
    service.start()
    assert engine.starts == 2, "only once ahead"


@pytest.mark.parametrize("where", ["server", "after it"])
def test_what_fails_ahead_fails_the_run(where: str) -> None:
    engine = Engine("no such port" if where == "server" else "")
    engine.up.set()

    def then() -> None:
        raise EngineError("no such port")

    service = EngineService("kafka", engine)
    supervisor = supervisor_of(service)
    service.ahead(then)
    with pytest.raises(EngineError, match="no such port"):
        supervisor.start()
    supervisor.stop()
    assert not engine.alive


@pytest.mark.parametrize("waited_for", [False, True], ids=["alone", "waited for"])
def test_a_start_ahead_ends_with_its_stop(waited_for: bool) -> None:
    engine = Engine()
    service = EngineService("kafka", engine)
    supervisor = supervisor_of(service)
    service.ahead()
    assert engine.begun.wait(PATIENCE_S)
    abort = Event()
    starter = Thread(target=lambda: supervisor.start(abort))
    if waited_for:
        starter.start()
        abort.set()
        starter.join(PATIENCE_S)
    supervisor.stop()
    assert not engine.alive and engine.stops and not starter.is_alive()
