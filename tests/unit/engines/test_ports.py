"""Free ports are free, taken ports are named with who has them, waiting ends."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ecom_lite.engines import ports
from ecom_lite.errors import EngineError, PortTaken
from ecom_lite.system import is_linux


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((ports.LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def test_free_ports_are_free_and_differ() -> None:
    found = {ports.free_port() for _ in range(20)}
    assert len(found) == 20
    assert all(ports.is_free(port) for port in found)


@pytest.mark.skipif(not is_linux(), reason="elsewhere no process can tell the others")
def test_a_port_that_another_process_has_picked_is_left_to_its_server() -> None:
    pick = "import sys; from ecom_lite.engines.ports import free_port; print(free_port(), flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", pick]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None and other.stdout is not None
        port = int(other.stdout.readline())
        assert ports.is_free(port) and not ports.claim(port)
        assert ports.choose_port(None, None, port, what="x") != port, "that of the last run is a wish only"
        assert ports.choose_port(None, port, None, what="x") == port, "who was told to take it takes it"
        other.stdin.close()
        other.wait()
    assert ports.claim(port) and ports.claim(port)


def test_a_taken_port_is_named_with_its_process(taken: int) -> None:
    with pytest.raises(PortTaken) as caught:
        ports.require_free(taken, what="Kafka")
    assert str(taken) in str(caught.value)
    assert f"(pid {os.getpid()})" in str(caught.value)
    assert "Kafka" in str(caught.value)


def test_a_taken_port_whose_owner_is_unknown(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "port_owner", lambda port: None)
    with pytest.raises(PortTaken, match="another process"):
        ports.require_free(taken)


@pytest.mark.parametrize(("port", "host"), [(70_000, ports.LOOPBACK), (ports.FIRST_PORT, "192.0.2.1")])
def test_unusable_addresses_are_errors_not_taken(port: int, host: str) -> None:
    with pytest.raises(EngineError) as caught:
        ports.require_free(port, host)
    assert not isinstance(caught.value, PortTaken)


def test_choose_port_prefers_own_then_fixed_then_last(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "OWN_PORT_WAIT_S", 0.0)
    a, b, c = (ports.free_port() for _ in range(3))
    assert ports.choose_port(a, b, c, what="x") == a
    assert ports.choose_port(None, b, c, what="x") == b
    assert ports.choose_port(None, None, c, what="x") == c
    assert ports.choose_port(None, None, taken, what="x") not in (taken, 0)
    for own, fixed in ((taken, None), (None, taken)):
        with pytest.raises(PortTaken):
            ports.choose_port(own, fixed, None, what="x")


def test_wait_port(taken: int) -> None:
    ports.wait_port(taken, deadline_s=5)
    with pytest.raises(EngineError, match="did not answer"):
        ports.wait_port(ports.free_port(), deadline_s=0.05)
    with pytest.raises(EngineError, match="ended before"):
        ports.wait_port(ports.free_port(), deadline_s=60, alive=lambda: False)
    assert not ports.wait_free(taken, deadline_s=0.05)
