"""The verbs that steer a live run: what they send, what they print, and what they say when it cannot be done."""

from __future__ import annotations

import http.client
import json
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from ecom_lite import cli
from ecom_lite.dashboards import Page
from ecom_lite.dashboards import control as endpoint
from ecom_lite.errors import EcomLiteError, TransformError, UsageError
from ecom_lite.live import client
from ecom_lite.live.lock import RunLock
from ecom_lite.live.state import RunState, write_state
from ecom_lite.observe.figures import ControlAnswer
from ecom_lite.observe.status import RunStatus
from ecom_lite.settings.override import CATEGORIES, FAULTS, ShopOverride
from ecom_lite.settings.tree import Faults
from ecom_lite.transform import require_known
from ecom_lite.warehouse.connect import Address

BOARDS = Path(__file__).resolve().parents[3] / "grafana" / "dashboards"
NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {"ecom_reader": "none"})  # no query is asked here


class Shop:
    """Stands where the app and its producer stand: a change is in force when it was asked for `slowness` times more."""

    def __init__(self) -> None:
        self.now: dict[str, Any] = {"rate": 5.0, "paused": False, "faults": {}}
        self.slowness = 0
        self.asked = 0
        self._wishes: list[Mapping[str, Any]] = []

    def control(self, override: ShopOverride) -> ControlAnswer:
        change = msgspec.to_builtins(override)
        if change:
            self._wishes.append(change)
            self.asked = 0
        self.asked += 1
        if self.asked > self.slowness:
            for wish in self._wishes:
                faults = {**self.now["faults"], **wish.get("faults", {})}
                self.now |= {**wish, "faults": {name: share for name, share in faults.items() if share}}
                if "campaigns" in wish:
                    self.now["campaigns"] = {name: share for name, share in wish["campaigns"].items() if share}
            self._wishes.clear()
        return ControlAnswer(**self.now, applied=not self._wishes)


class Said(NamedTuple):
    code: int
    out: str
    err: str


class Shell:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._monkeypatch, self._capsys = folder, monkeypatch, capsys

    def __call__(self, *arguments: str) -> Said:
        self._monkeypatch.setattr(sys, "argv", ["ecom_lite", *arguments, "--data-dir", str(self.folder)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = self._capsys.readouterr()
        return Said(int(ended.value.code or 0), out, err)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path / "data", monkeypatch, capsys)


@pytest.fixture(scope="module")
def serving() -> Iterator[tuple[Page, Shop]]:
    shop = Shop()
    page = Page(NOWHERE, BOARDS, "127.0.0.1", 0, RunStatus, control=shop.control)
    page.start()
    yield page, shop
    page.stop()


@pytest.fixture
def shop(serving: tuple[Page, Shop], shell: Shell) -> Iterator[Shop]:
    """The shop of a live run in the shell's data folder."""
    page, shop = serving
    shop.__init__()  # type: ignore[misc]
    with RunLock(shell.folder, "run"):
        write_state(shell.folder, live(page))
        yield shop


def live(page: Page, control_url: str = "", control_token: str = "") -> RunState:
    url, token = control_url or f"{page.url}api/control", control_token or page.token
    return RunState(state="running", control_url=url, control_token=token)


@pytest.mark.parametrize(
    ("arguments", "force", "line"),
    [
        (["rate", "500"], {"rate": 500.0}, "500 orders/s; faults: none\n"),
        (["rate", "0.5"], {"rate": 0.5}, "0.5 orders/s; faults: none\n"),
        (["rate", "max"], {"rate": "max"}, "as fast as it goes; faults: none\n"),
        (["rate", "natural"], {"rate": "natural"}, "by the shop's own clock; faults: none\n"),
        (["pause"], {"paused": True}, "paused, then 5 orders/s; faults: none\n"),
        (["resume"], {"paused": False}, "5 orders/s; faults: none\n"),
        (
            ["fault", "late=5%", "malformed=0.0025"],
            {"faults": {"late": 0.05, "malformed": 0.0025}},
            "5 orders/s; faults: late 5%, malformed 0.25%\n",
        ),
        (["fault", "off"], {"faults": {}}, "5 orders/s; faults: none\n"),
        (["campaign", "off"], {"campaigns": {}}, "5 orders/s; faults: none\n"),
        (
            ["campaign", "Toys & Games=30%"],
            {"campaigns": {"Toys & Games": 0.3}},
            "5 orders/s; faults: none; campaign: Toys & Games 30% off\n",
        ),
    ],
)
def test_a_verb_changes_the_shop_and_prints_what_is_in_force(
    shell: Shell, shop: Shop, arguments: list[str], force: dict[str, object], line: str
) -> None:
    before = dict(shop.now)
    assert shell(*arguments) == Said(0, line, "")
    assert shop.now == {**before, **force}


def test_faults_add_up_until_they_are_off(shell: Shell, shop: Shop) -> None:
    shell("fault", "late=5%")
    assert json.loads(shell("fault", "duplicate=2%", "--json").out)["faults"] == {"late": 0.05, "duplicate": 0.02}
    shown = shell("fault")
    assert shown.code == 0
    rows = {line.split()[0]: line for line in shown.out.splitlines()[2:]}
    assert set(rows) == set(FAULTS) == set(endpoint.FAULTS)
    assert " 5% " in rows["late"] and " 0% " in rows["silence"]
    for name, row in rows.items():
        assert row.endswith(str(Faults.model_fields[name].description))
    known = json.loads(shell("fault", "--json").out)
    assert known["faults"] == {"late": 0.05, "duplicate": 0.02} and known["known"] == FAULTS
    assert json.loads(shell("fault", "off", "--json").out)["faults"] == {}


def test_the_categories_that_can_be_promoted_are_listed(shell: Shell, shop: Shop) -> None:
    shell("campaign", "Books=30%")
    rows = shell("campaign").out.splitlines()[2:]
    assert [row.rsplit(maxsplit=1)[0] for row in rows] == list(CATEGORIES) and "Books              30%" in rows
    assert json.loads(shell("campaign", "--json").out)["known"] == list(CATEGORIES)


def test_it_waits_until_the_producer_does_it(shell: Shell, shop: Shop) -> None:
    shop.slowness = 3
    assert shell("pause").out.startswith("paused")
    assert shop.asked == 4


def test_a_producer_that_never_does_it_is_an_error_after_a_while(shell: Shell, shop: Shop) -> None:
    shop.slowness = 10**9
    now = [0.0]

    def wait(seconds: float) -> None:
        now[0] += seconds

    with pytest.raises(EcomLiteError, match=f"has not taken it over within {client.APPLY_S:g} s") as refused:
        client.LiveRun(shell.folder).change(ShopOverride(paused=True), lambda: now[0], wait)
    assert refused.value.exit_code == 1 and client.APPLY_S < now[0] < client.APPLY_S + 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rate"], "RATE"),
        (["rate", "fast"], "rate 'fast': give a number of orders per second above 0, or max, or natural"),
        (["rate", "0"], "rate '0': give a number"),
        (["rate", "nan"], "rate 'nan': give a number"),
        (["fault", "nonsense=1%"], "no such fault; there is: late, duplicate, out_of_order, malformed, burst, silence"),
        (["fault", "late"], "write NAME=SHARE, such as late=5%, or off alone; there is: late,"),
        (["fault", "off", "late=5%"], "write NAME=SHARE, such as late=5%, or off alone"),
        (["fault", "late=70%"], "fault 'late=70%': give a share from 0 to 0.5, or from 0% to 50%"),
        (["fault", "late="], "fault 'late=': give a share"),
        (["campaign", "Boats=5%"], "campaign 'Boats=5%': no such category; there is: Electronics, Home & Kitchen,"),
        (["campaign", "Books=60%"], "campaign 'Books=60%': give a share from 0 to 0.5"),
        (["pause", "now"], "now"),
    ],
)
def test_a_wrong_use_is_one_message_and_code_2(shell: Shell, shop: Shop, arguments: list[str], words: str) -> None:
    said = shell(*arguments)
    assert said.code == 2 and words in said.err and said.out == "" and "Traceback" not in said.err
    assert shop.asked == 0


def test_what_the_run_refuses_is_a_wrong_use_too(shell: Shell, shop: Shop) -> None:
    with pytest.raises(UsageError, match=r"rate = 'x': give a number"):
        client.LiveRun(shell.folder).change(ShopOverride(rate="x"))


@pytest.mark.parametrize(("held", "words"), [(1, "1 late event still to come"), (1234, "1,234 late events still to come")])
def test_a_pause_says_how_many_events_it_still_lets_come(shell: Shell, shop: Shop, held: int, words: str) -> None:
    shop.now["held"] = held
    assert shell("pause").out == f"paused, {words}; then 5 orders/s; faults: none\n"
    assert json.loads(shell("pause", "--json").out)["held"] == held
    assert "late" not in shell("resume").out


@pytest.mark.parametrize("arguments", [["rate", "5"], ["pause"], ["resume"], ["fault", "late=1%"], ["fault"], ["campaign"]])
def test_without_a_run_it_is_code_2(shell: Shell, serving: tuple[Page, Shop], arguments: list[str]) -> None:
    said = shell(*arguments)
    assert said.code == 2 and "nothing runs in" in said.err and not shell.folder.exists()
    with RunLock(shell.folder, "check"):  # the state is of a run that has ended
        write_state(shell.folder, live(serving[0]))
        said = shell(*arguments)
        assert said.code == 2 and "no run: `ecom_lite check`" in said.err


@dataclass(frozen=True)
class Built:
    status: str
    select: Sequence[str]
    full: bool


class MartsOfTheTest:
    """Stands where dbt stands."""

    def __init__(self) -> None:
        self.broken = ""

    def require_known(self, select: Sequence[str]) -> None:
        require_known(select, ["daily_sales", "cohorts"])

    def docs(self) -> Path:
        raise TransformError("no docs here")

    def refresh(self, trigger: str, *, full_refresh: bool, select: Sequence[str], said: Callable[[str], None]) -> Built:
        said("1 of 2: daily_sales, 0.10 s")
        said("2 of 2: cohorts, 0.05 s")
        if self.broken:
            raise TransformError(self.broken)
        return Built("selected", select, full_refresh)


@pytest.fixture
def building(shell: Shell) -> Iterator[tuple[client.LiveRun, MartsOfTheTest, Page]]:
    marts = MartsOfTheTest()
    page = Page(NOWHERE, BOARDS, "127.0.0.1", 0, RunStatus, marts=marts)
    page.start()
    try:
        with RunLock(shell.folder, "run"):
            write_state(shell.folder, live(page))
            yield client.LiveRun(shell.folder), marts, page
    finally:
        page.stop()


def test_a_refresh_of_some_models_goes_along_with_its_progress(
    building: tuple[client.LiveRun, MartsOfTheTest, Page],
) -> None:
    run, marts, _ = building
    said: list[str] = []
    built = run.refresh(full_refresh=True, select=["cohorts"], said=said.append)
    assert built == {"status": "selected", "select": ["cohorts"], "full": True}
    assert said == ["1 of 2: daily_sales, 0.10 s", "2 of 2: cohorts, 0.05 s"]
    assert run.refresh(full_refresh=False)["select"] == []
    with pytest.raises(UsageError, match="no model 'cohort': did you mean cohorts"):
        run.refresh(full_refresh=False, select=["cohort"])
    marts.broken = "dbt cannot run"
    with pytest.raises(TransformError, match="dbt cannot run"):
        run.refresh(full_refresh=False)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("[]", 400, "give a JSON object such as"),
        ("{", 400, "the body is not JSON"),
        ('{"full": 1}', 400, "full = 1: give true or false"),
        ('{"select": "cohorts"}', 400, "select = 'cohorts': give a list"),
        ('{"select": [1]}', 400, "give a list of models' names"),
        ('{"models": []}', 400, "'models' is not known here"),
        ('{"select": ["cohort"]}', 400, "did you mean cohorts"),
        (json.dumps({"select": ["x" * 5000]}), 413, "at most 4,096 bytes"),
        ("", 200, '"run"'),
        ('{"select": ["cohorts"]}', 200, '"selected"'),
    ],
)
def test_a_wrong_wish_is_refused_before_anything_is_built(
    building: tuple[client.LiveRun, MartsOfTheTest, Page], body: str, status: int, words: str
) -> None:
    page = building[2]
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=60)
    connection.request("POST", "/api/refresh", body, {"Authorization": f"Bearer {page.token}"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == status and words in text, text


def test_a_run_without_the_shop_says_so(shell: Shell) -> None:
    page = Page(NOWHERE, BOARDS, "127.0.0.1", 0, RunStatus)
    page.start()
    try:
        with RunLock(shell.folder, "run"):
            write_state(shell.folder, live(page))
            said = shell("rate", "5")
    finally:
        page.stop()
    assert said.code == 1 and "no simulated shop (shop.enabled is false)" in said.err


def test_a_run_that_is_starting_or_does_not_answer_says_so(shell: Shell, serving: tuple[Page, Shop]) -> None:
    page = serving[0]
    with RunLock(shell.folder, "run"):
        write_state(shell.folder, RunState())
        said = shell("pause")
        assert said.code == 1 and "is still starting" in said.err
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # nobody listens there
            write_state(shell.folder, live(page, control_url=f"http://127.0.0.1:{taken.getsockname()[1]}/api/control"))
            said = shell("pause")
        assert said.code == 1 and "does not answer at http://127.0.0.1:" in said.err and "refused" in said.err
        write_state(shell.folder, live(page, control_url=f"{page.url}d/realtime-operations"))
        said = shell("fault")
        assert said.code == 1 and "does not answer" in said.err and "Traceback" not in said.err
        write_state(shell.folder, live(page, control_token="another"))
        said = shell("pause")
        assert said.code == 1 and "does not take the token" in said.err and "another" not in said.err
