"""What surrounds the panels: the Host check, who may control, the cache, the assets, Grafana's discovery."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import json
import re
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg_pool import PoolTimeout

from ecom_lite.dashboards import Page
from ecom_lite.dashboards.answer import explain
from ecom_lite.dashboards.assets import UPLOT, Assets
from ecom_lite.dashboards.cache import Cache
from ecom_lite.dashboards.control import FAULTS, MAX_BODY_BYTES, read_override
from ecom_lite.dashboards.guard import from_this_machine, host_allowed
from ecom_lite.engines.grafana import GrafanaServer, Warehouse, find_grafana
from ecom_lite.errors import EcomLiteError, EngineError, UsageError
from ecom_lite.observe.figures import ControlAnswer
from ecom_lite.observe.status import RunStatus
from ecom_lite.settings.load import load_settings
from ecom_lite.settings.override import ShopOverride
from ecom_lite.settings.tree import Faults
from ecom_lite.warehouse.connect import Address
from tests.runs import wait_for
from tests.unit.dashboards.asking import looking

BOARDS = Path(__file__).resolve().parents[3] / "grafana" / "dashboards"
NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {"ecom_reader": "none"})  # no query is asked here
JOIN_S = 30
MOST_BYTES = 150_000


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


class Shop:
    """Stands where the app stands: takes changes over at once."""

    def __init__(self) -> None:
        self.changes: list[Mapping[str, object]] = []
        self.failure: Exception | None = None

    def control(self, override: ShopOverride) -> ControlAnswer:
        change = msgspec.to_builtins(override)
        if self.failure is not None:
            raise self.failure
        if change:
            self.changes.append(change)
        return ControlAnswer(rate=5.0)


@pytest.fixture(scope="module")
def serving() -> Iterator[tuple[Page, Shop]]:
    shop = Shop()
    page = Page(NOWHERE, BOARDS, "127.0.0.1", 0, RunStatus, control=shop.control)
    page.start()
    yield page, shop
    page.stop()


@pytest.fixture
def shop(serving: tuple[Page, Shop]) -> Shop:
    shop = serving[1]
    shop.changes.clear()
    shop.failure = None
    return shop


@pytest.fixture
def page(serving: tuple[Page, Shop]) -> Page:
    return serving[0]


def ask(
    page: Page, method: str, body: Any = None, path: str = "/api/control", headers: Mapping[str, str | None] | None = None
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON of one request that carries the token and is well-formed; a header of None is left out."""
    sent = {"authorization": f"Bearer {page.token}", "content-type": "application/json"}
    sent |= headers or {}  # type: ignore[arg-type]
    content = body if body is None or not isinstance(body, dict) else json.dumps(body).encode()
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    try:
        connection.request(method, path, content, {name: value for name, value in sent.items() if value is not None})
        answer = connection.getresponse()
        raw = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, json.loads(raw) if "json" in found.get("content-type", "") else raw
    finally:
        connection.close()


def test_a_change_is_handed_over_checked_and_answered_with_what_is_in_force(page: Page, shop: Shop) -> None:
    status, headers, now = ask(page, "POST", {"rate": 500, "paused": True, "faults": {"late": 0.05, "malformed": "1%"}})
    assert (status, now["applied"], headers["cache-control"]) == (200, True, "no-store")
    assert shop.changes == [{"rate": 500.0, "paused": True, "faults": {"late": 0.05, "malformed": 0.01}}]
    assert ask(page, "POST", {"rate": "natural"})[0] == 200
    assert ask(page, "POST", {"paused": False}, headers={"content-type": "application/json; charset=utf-8"})[0] == 200
    assert shop.changes[1:] == [{"rate": "natural"}, {"paused": False}]  # only what was asked for
    assert ask(page, "GET")[2] == now and len(shop.changes) == 3


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"authorization": None}, 401),
        ({"authorization": "Bearer "}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Basic {token}"}, 401),
        ({"authorization": "{token}"}, 401),
        ({"authorization": "Bearer {token}x"}, 401),
        ({"authorization": "Bearer \xe9"}, 401),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),  # another port is another site
        ({"origin": "https://{host}"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"host": "evil.example"}, 421),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": None}, 415),
    ],
)
def test_who_may_not_is_refused(page: Page, shop: Shop, headers: dict[str, str | None], code: int) -> None:
    filled = {n: v and v.format(token=page.token, host=f"127.0.0.1:{page.port}") for n, v in headers.items()}
    status, given, answer = ask(page, "POST", {"paused": True}, headers=filled)
    assert status == code and shop.changes == []
    assert page.token not in f"{given} {answer}"
    assert not [name for name in given if name.startswith("access-control")]
    if code != 415:
        assert ask(page, "GET", headers=filled)[0] == code


def test_the_page_s_own_origin_is_allowed(page: Page, shop: Shop) -> None:
    own = f"http://127.0.0.1:{page.port}"
    assert ask(page, "POST", {"paused": True}, headers={"origin": own, "sec-fetch-site": "same-origin"})[0] == 200
    assert len(shop.changes) == 1


def test_other_methods_and_preflights_get_nothing(page: Page, shop: Shop) -> None:
    preflight = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    for method, sent, code in (
        (m, s, c) for m in ("OPTIONS", "PUT", "DELETE", "PATCH") for s, c in (({}, 405), (preflight, 403))
    ):
        status, headers, _ = ask(page, method, headers=sent)
        assert status == code and not [name for name in headers if name.startswith("access-control")]
    assert shop.changes == []


def test_a_body_has_a_limit_declared_or_not(page: Page, shop: Shop) -> None:
    fitting = b'{"paused": true}'.ljust(MAX_BODY_BYTES)
    assert ask(page, "POST", fitting)[0] == 200
    assert ask(page, "POST", fitting + b" ")[0] == 413
    assert ask(page, "POST", iter([fitting, b" "]))[0] == 413  # chunked: no length is declared
    assert len(shop.changes) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"rate": 0}', "rate = 0.0: give a number of orders per second above 0, or max, or natural"),
        (b'{"rate": "fast"}', "rate = 'fast': give a number"),
        (b'{"rate": true}', "rate = True: give a number"),
        (b'{"rate": null}', "rate = None: give a number"),
        (b'{"rate": NaN}', "rate = nan: give a number"),
        (b'{"rate": 1' + b"0" * 400 + b"}", "rate = inf: give a number"),
        (b'{"paused": 1}', "paused = 1.0: give true or false"),
        (b'{"paused": "true"}', "paused = 'true': give true or false"),
        (b'{"faults": {"late": 0.7}}', "faults.late = 0.7: give a share from 0 to 0.5, or from 0% to 50%"),
        (b'{"faults": {"late": "-1%"}}', "faults.late = '-1%': give a share"),
        (b'{"faults": {"lates": 0.1}}', "faults.lates: no such fault; there is: late, duplicate, out_of_order, malformed"),
        (b'{"faults": {"late_s": 9}}', "faults.late_s: no such fault"),
        (b'{"campaigns": {"Boats": 0.1}}', "campaigns.Boats: no such category; there is: Electronics"),
        (b'{"campaigns": {"Home & Kitchen": 0.7}}', "campaigns.Home & Kitchen = 0.7: give a share from 0 to 0.5"),
        (b'{"faults": 0.1}', "faults = 0.1: give an object"),
        (b'{"speed": 2}', "speed: no such switch; there is: rate, paused, faults, campaigns"),
        (b'{"rate": 5, "faults": {"x": 1}}', "faults.x: no such fault"),
        (b"{}", "one or more of: rate, paused, faults, campaigns"),
        (b"[]", "give a JSON object"),
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 4_000, "not JSON"),
    ],
)
def test_a_wrong_change_is_named_with_its_value_and_what_is_allowed(page: Page, shop: Shop, body: bytes, words: str) -> None:
    status, _, answer = ask(page, "POST", body)
    assert status == 400 and words in answer["error"] and shop.changes == []


def test_every_share_of_the_settings_can_be_switched_and_nothing_else() -> None:
    for name in Faults.model_fields:
        wish = json.dumps({"faults": {name: "50%"}}).encode()
        if name in FAULTS:
            assert read_override(wish) == ShopOverride(faults={name: 0.5})
            assert getattr(load_settings(env={}, flags={f"faults.{name}": "50%"}).faults, name) == 0.5
        else:
            with pytest.raises(UsageError, match="no such fault"):
                read_override(wish)
    assert FAULTS == ("late", "duplicate", "out_of_order", "malformed", "burst", "silence")


def test_what_the_app_refuses_is_told(page: Page, shop: Shop) -> None:
    shop.failure = EcomLiteError("the producer is gone")
    status, _, answer = ask(page, "POST", {"paused": True})
    assert (status, answer) == (409, {"error": "the producer is gone"})


def test_a_run_without_the_shop_says_so_to_who_has_the_token() -> None:
    page = Page(NOWHERE, BOARDS, "127.0.0.1", 0, RunStatus, token="t" * 43)
    page.start()
    try:
        for method, body in (("GET", None), ("POST", {"paused": True})):
            status, _, answer = ask(page, method, body)
            assert status == 409 and "no simulated shop" in answer["error"]
        assert ask(page, "GET", headers={"authorization": "Bearer x"})[0] == 401
    finally:
        page.stop()


def test_the_token_is_in_no_page_and_no_other_answer(page: Page) -> None:
    assert len(page.token) >= 43  # 256 bits
    assert page.token != Page(NOWHERE, BOARDS, "127.0.0.1", 0, RunStatus).token
    for path in ("/health", "/d/realtime-operations", "/api/status", "/api/boards", "/api/boards/realtime-operations"):
        status, headers, answer = ask(page, "GET", path=path)
        assert status == 200 and page.token not in f"{headers} {answer!r}", path
    index = ask(page, "GET", path="/d/realtime-operations")[2].decode()
    files = re.findall(r'(?:src|href)="(/[^"]+[.](?:js|css|svg)[^"]*)"', index)
    assert len(files) >= 3, index
    for path in files:
        assert page.token.encode() not in ask(page, "GET", path=path)[2], path


@pytest.mark.parametrize(
    ("client", "server", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "::1", True),
        ("::ffff:127.0.0.1", "::", True),
        ("192.168.1.9", "192.168.1.9", True),  # bound to its own address, called from itself
        ("192.168.1.7", "192.168.1.9", False),
        ("192.168.1.7", "0.0.0.0", False),
        ("", "127.0.0.1", False),
    ],
)
def test_control_is_for_this_machine(client: str, server: str, allowed: bool) -> None:
    assert from_this_machine({"type": "http", "client": (client, 1), "server": (server, 2)}) is allowed
    assert not from_this_machine({"type": "http", "client": None, "server": (server, 2)})


def test_a_stop_ends_streams_when_nobody_is_let_in_any_more() -> None:
    """Else ten tabs whose streams have ended ask for all their panels of a page that is going, which then waits for these."""
    before = set(threading.enumerate())
    page = Page(NOWHERE, BOARDS, "127.0.0.1", 0, lambda: RunStatus(state="running"))
    page.start()
    with looking(page) as one, looking(page) as unread:
        one.read_until(b"event: tick")
        unread.read_until(b"retry")
        stopping = threading.Thread(target=page.stop)
        stopping.start()
        one.read_to_the_end()
        with pytest.raises(OSError):
            ask(page, "GET", path="/api/boards")
        stopping.join(JOIN_S)
    assert not stopping.is_alive() and not page.alive
    wait_for(lambda: set(threading.enumerate()) <= before, lambda: f"threads end: {set(threading.enumerate()) - before}")


def test_one_computation_serves_all_who_ask() -> None:
    cache, computing, go = Cache(lambda: 0.0, 8), threading.Event(), threading.Event()
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


def test_who_asks_in_the_instant_that_the_answer_is_there_has_it_computed_no_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    cache, found, calls = Cache(lambda: 0.0, 8), list[object](), list[int]()

    def asked() -> object:
        return cache.get(("k",), lambda: calls.append(1), lambda *_: 1.0)

    class Watched(Future[object]):
        def set_result(self, result: object) -> None:
            super().set_result(result)
            if not found:
                found.append(asked())

    monkeypatch.setattr("ecom_lite.dashboards.cache.Future", Watched)
    assert asked() == found[0] and calls == [1]


def test_answers_expire_and_failures_are_not_kept() -> None:
    now = [0.0]
    cache = Cache(lambda: now[0], size=2)
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
    for away in (psycopg.OperationalError("refused"), psycopg.errors.AdminShutdown("terminating"), PoolTimeout("5 s")):
        assert explain(away) == ("error", "The database cannot be reached")
    full = psycopg.errors.DiskFull('could not write to file "base/pgsql_tmp/pgsql_tmp1.0": No space left on device\nHINT: ...')
    assert explain(full) == ("error", 'could not write to file "base/pgsql_tmp/pgsql_tmp1.0": No space left on device')
    assert "15 s" in explain(psycopg.errors.QueryCanceled("canceling statement"))[1]


def test_assets() -> None:
    assets = Assets()
    script = assets.get(UPLOT)
    assert script is not None and gzip.decompress(script.gzipped) == script.body
    assert len(script.gzipped) < len(script.body) / 2
    assert script.body.startswith(b"/*! https://github.com/leeoniya/uPlot") and script.body.endswith(b"export default uPlot;\n")
    released = script.body.removesuffix(b"\nexport default uPlot;\n")
    decision = (BOARDS.parents[1] / "docs/decisions/0032-uplot-and-svg.md").read_text("utf-8")
    assert hashlib.sha256(released).hexdigest() in decision, "uPlot is served as it was released"
    licence = assets.get("uplot.LICENSE.txt")
    assert licence is not None and b"Permission is hereby granted" in licence.body
    assert assets.get("index.html") is None and assets.get("nothing.js") is None
    assert assets.version.encode() in assets.index() and b"{{" not in assets.index()


def test_a_page_names_all_modules_of_its_script_at_once() -> None:
    index = Assets().index().decode()
    static = Path(__file__).resolve().parents[3] / "ecom_lite/dashboards/static"
    preloaded = set(re.findall(r'rel="modulepreload" href="/static/\w+/([\w.]+)"', index))
    assert {"app.js", "panels.js", "timeseries.js", "uplot.js"} <= preloaded
    sources = "".join((static / name).read_text("utf-8") for name in preloaded - {UPLOT})
    assert set(re.findall(r'from "[.]/([\w.]+)"', sources)) <= preloaded


def test_the_whole_page_is_small() -> None:
    assets = Assets()
    names = [path.name for path in (Path(__file__).resolve().parents[3] / "ecom_lite/dashboards/static").iterdir()]
    found = [asset for name in [*names, UPLOT] if (asset := assets.get(name)) is not None]
    assert len(found) > 20 and sum(len(asset.gzipped) for asset in found) < MOST_BYTES


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
        server.start(deadline_s=60)
    assert not server.alive
    server.stop()
    assert "secret" not in repr(warehouse) and "secret" not in (tmp_path / "data" / "grafana.ini").read_text("utf-8")
    assert (tmp_path / "data" / "secrets.json").stat().st_mode & 0o777 == 0o600
