"""What surrounds the panels: the Host check, the cache, the assets, Grafana's discovery."""

from __future__ import annotations

import gzip
import threading
from pathlib import Path

import psycopg
import pytest

from ecom_lite.dashboards.assets import PLOTLY, Assets
from ecom_lite.dashboards.guard import host_allowed
from ecom_lite.dashboards.queries import _Cache, explain
from ecom_lite.engines.grafana import GrafanaServer, Warehouse, find_grafana
from ecom_lite.errors import EngineError

JOIN_S = 5


@pytest.mark.parametrize(
    ("header", "bound", "allowed"),
    [
        ("127.0.0.1:8100", "127.0.0.1", True),
        ("localhost:8100", "127.0.0.1", True),
        ("LOCALHOST", "127.0.0.1", True),
        ("[::1]:8100", "::1", True),
        ("shop.lan:8100", "shop.lan", True),
        ("192.168.1.9:8100", "192.168.1.9", True),
        ("192.168.1.9:8100", "0.0.0.0", True),
        ("[fe80::1]:8100", "::", True),
        ("evil.example:8100", "0.0.0.0", False),
        ("evil.example:8100", "127.0.0.1", False),
        ("192.168.1.9:8100", "127.0.0.1", False),
        ("127.0.0.1.evil.example", "127.0.0.1", False),
        ("", "127.0.0.1", False),
        ("", "0.0.0.0", False),
    ],
)
def test_host_check(header: str, bound: str, allowed: bool) -> None:
    assert host_allowed(header, bound) is allowed


def test_one_computation_serves_all_who_ask() -> None:
    cache, computing, go = _Cache(lambda: 0.0), threading.Event(), threading.Event()
    calls: list[int] = []

    def compute() -> object:
        calls.append(1)
        computing.set()
        assert go.wait(JOIN_S)
        return "answer"

    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(cache.get(("k",), compute, lambda *_: 1.0))) for _ in range(8)]
    threads[0].start()
    assert computing.wait(JOIN_S)
    for thread in threads[1:]:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(JOIN_S)
    assert found == ["answer"] * 8 and calls == [1]


def test_answers_expire_and_failures_are_not_kept() -> None:
    now = [0.0]
    cache = _Cache(lambda: now[0], size=2)
    numbers = iter(range(10))
    assert [cache.get(("k",), lambda: next(numbers), lambda *_: 4.0) for _ in range(2)] == [0, 0]
    now[0] = 4.0
    assert cache.get(("k",), lambda: next(numbers), lambda *_: 4.0) == 1

    def fail() -> object:
        raise ValueError("once")

    with pytest.raises(ValueError, match="once"):
        cache.get(("other",), fail, lambda *_: 4.0)
    assert cache.get(("other",), lambda: "fine", lambda *_: 4.0) == "fine"


def test_errors_for_people() -> None:
    missing = psycopg.errors.UndefinedTable('relation "marts.customer_ltv" does not exist\nLINE 2: ...')
    assert explain(missing) == ("waiting", "Waiting for the first dbt run")
    other = psycopg.errors.UndefinedTable('relation "warehouse.nothing" does not exist\nLINE 2: ...')
    assert explain(other) == ("error", 'relation "warehouse.nothing" does not exist')
    assert explain(psycopg.OperationalError("refused"))[1] == "The database cannot be reached"
    assert "15 s" in explain(psycopg.errors.QueryCanceled("canceling statement"))[1]


def test_assets() -> None:
    assets = Assets()
    plotly = assets.get(PLOTLY)
    assert plotly is not None and gzip.decompress(plotly.gzipped) == plotly.body
    assert len(plotly.gzipped) < len(plotly.body) / 2
    assert assets.get("index.html") is None and assets.get("nothing.js") is None
    assert assets.version.encode() in assets.index() and b"{{" not in assets.index()


def _installation(folder: Path, name: str = "grafana") -> Path:
    binary = folder / "bin" / name
    binary.parent.mkdir(parents=True)
    binary.write_text("#!/bin/sh\nexit 3\n", "utf-8")
    binary.chmod(0o755)
    return binary


def test_finding_grafana(tmp_path: Path) -> None:
    assert find_grafana(env={"PATH": str(tmp_path)}) is None
    binary = _installation(tmp_path / "a")
    old = _installation(tmp_path / "b", "grafana-server")
    assert find_grafana(tmp_path / "a", env={}) == binary
    assert find_grafana(env={"GRAFANA_HOME": str(tmp_path / "b")}) == old
    assert find_grafana(env={"PATH": str(tmp_path / "a" / "bin")}) == binary
    with pytest.raises(EngineError, match=r"grafana\.home"):
        find_grafana(tmp_path / "nowhere", env={})


def test_a_grafana_that_does_not_start(tmp_path: Path) -> None:
    home = tmp_path / "home"
    binary = _installation(home)
    for folder in ("public", "conf"):
        (home / folder).mkdir()
    (tmp_path / "realtime_operations.json").write_text('{"uid": "x"}', "utf-8")
    warehouse = Warehouse("127.0.0.1", 1, "none", "secret")
    server = GrafanaServer(
        binary, tmp_path / "data", tmp_path / "logs", warehouse=warehouse, provisioning=tmp_path, boards=tmp_path
    )
    server.stop()
    with pytest.raises(EngineError, match="exit code 3"):
        server.start(deadline_s=10)
    assert not server.alive
    server.stop()
    assert "secret" not in repr(warehouse) and "secret" not in (tmp_path / "data" / "grafana.ini").read_text("utf-8")
    assert (tmp_path / "data" / "secrets.json").stat().st_mode & 0o777 == 0o600
