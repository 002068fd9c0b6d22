"""The demo on a shop counted by hand: the order of its steps, their words, what it asks of the shop, and how a step may fail."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from ecom_lite.observe.figures import AlertFigures
from ecom_lite.observe.status import RunStatus
from ecom_lite.observe.story import Chapter
from ecom_lite.run.demo import ALERT, DISCOUNT, PROMOTED, SETTINGS, STEPS, Demo, Limits
from ecom_lite.run.teller import Teller
from ecom_lite.settings.bundled import bundled
from ecom_lite.settings.load import NO_FILE, load_settings
from ecom_lite.settings.override import ShopOverride
from ecom_lite.terminal.steps import StepsShown
from ecom_lite.terminal.terminal import Terminal
from ecom_lite.warehouse.connect import Address
from tests.runs import wait_for
from tests.unit.run.test_story import World

QUICK = Limits(step_s=60, settle_s=60, poll_s=0.005)
PAST = {"sent": 1.0, "loaded": 2.0, "marts": 9.0}
TITLES = [title for title, *_ in STEPS]


class Reader:
    """Stands where the warehouse stands: of its order lines ever more are of what is promoted."""

    def __init__(self) -> None:
        self.asked = 0

    def connect(self, role: str) -> Reader:
        return self

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None: ...

    def execute(self, sql: bytes, values: dict[str, Any]) -> Reader:
        assert values["category"] == PROMOTED
        self.asked += 1
        return self

    def fetchone(self) -> tuple[int, int]:
        return (90, 1000) if self.asked == 1 else (40 * self.asked, 200 * self.asked)


class Showing(World):
    """The shop of a demo; broken events make its alert fire."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = {"sent": 100, "own": 90, "facts": 90, "dead": 0, "duplicates": 0}
        self.shown: list[tuple[int, Chapter]] = []
        self.campaigns: list[dict[str, float]] = []
        self.fires = True
        self.ahead_s = 0.0  # of the clock that counts, so that nobody waits in earnest for what does not come
        self.teller = Teller(
            lambda: time.monotonic() + self.ahead_s, 0.005, lambda place, chapter: self.shown.append((place, chapter))
        )
        self.waited: list[int] = []

    def take(self, override: ShopOverride) -> None:
        super().take(override)
        self.campaigns.append(dict(override.campaigns))

    def status(self) -> RunStatus:
        now = super().status()
        if self.force.faults.get("duplicate"):
            self.counts["duplicates"] += 1
            self.counts["facts"] -= 1
        on = {name: share for name, share in (self.campaigns[-1] if self.campaigns else {}).items() if share}
        state = "firing" if self.fires and self.force.faults.get("malformed") else "ok"
        if not self.fires and self.force.faults.get("malformed"):
            self.ahead_s += 1
        alert = AlertFigures(title="Records break", severity="warning", state=state, since="", at="", told="9 is above 1")
        from msgspec.structs import replace

        return replace(now, campaigns=on, alerts={ALERT: alert})

    def demo(self) -> Demo:
        made = Demo(
            self.teller, self.supervisor, self.shop, self.status, lambda: Reader_as_address(self.reader), lambda: PAST, 28,
            QUICK, lambda teller: self.waited.append(len(self.waited)),
        )  # fmt: skip
        made.begin()
        wait_for(lambda: made.over, lambda: str(self.teller.telling()))
        return made

    reader = Reader()


def Reader_as_address(reader: Reader) -> Address:
    return reader  # type: ignore[return-value]


@pytest.fixture
def showing() -> Iterator[Showing]:
    made = Showing()
    made.reader = Reader()
    assert made.supervisor.start()
    yield made
    made.teller.stop()
    made.supervisor.stop()


def test_all_steps_are_done_in_their_order_and_tell_what_came_of_them(showing: Showing) -> None:
    demo = showing.demo()
    told = showing.teller.telling()
    assert demo.well and told.state == "closed" and told.kind == "demo", told
    assert [chapter.title for chapter in told.chapters] == TITLES
    assert [(place, chapter.state) for place, chapter in showing.shown] == [
        (place, state) for place in range(len(STEPS)) for state in ("now", "done")
    ]
    begun = [chapter.text for _, chapter in showing.shown[::2]]
    assert begun == [text.format(days=28) for _, text, *_ in STEPS], "each says first what happens now"
    words = [chapter.text for chapter in told.chapters]
    assert "in the marts after 9 s" in words[0] and "9% of all order lines" in words[2] and "are 20% of the" in words[2]
    assert "came twice, and were counted once" in words[3] and "SIGKILL" in words[4] and "load was away" in words[5]
    assert "9 is above 1" in words[6] and "events sent =" in words[7]
    assert all(chapter.look and chapter.link.startswith("/") for chapter in told.chapters)
    assert showing.loader.deaths == 1 and len(showing.waited) == len(STEPS) - 1, "after each step but the kill it waits"


def test_it_does_it_by_the_shop_s_control_and_takes_each_thing_back(showing: Showing) -> None:
    showing.demo()
    assert {PROMOTED: DISCOUNT} in showing.campaigns and showing.campaigns[-1] == {PROMOTED: 0.0}
    faults = [{name for name, share in wish.faults.items() if share} for wish in showing.wishes]
    assert {"late", "duplicate", "out_of_order"} in faults and {"malformed"} in faults and faults[-1] == set()
    assert showing.force.paused and not showing.force.faults, "the run ends: nothing more is sold"


def test_a_step_that_fails_says_so_and_the_next_one_goes_on(showing: Showing) -> None:
    showing.fires = False
    demo = showing.demo()
    told = showing.teller.telling()
    assert not demo.well and demo.failed == ["An alert"] and told.state == "failed" and "An alert" in told.told
    assert [chapter.state for chapter in told.chapters] == ["done"] * 6 + ["failed", "done"]
    assert "no alert fires" in told.chapters[6].text and not showing.force.faults
    assert (6, "failed") in [(place, chapter.state) for place, chapter in showing.shown]


def test_ended_by_hand_it_tells_no_further_and_has_not_failed(showing: Showing) -> None:
    demo = Demo(
        showing.teller,
        showing.supervisor,
        showing.shop,
        showing.status,
        lambda: Reader_as_address(showing.reader),
        dict,
        28,
        QUICK,
    )
    demo.begin()
    wait_for(lambda: showing.shown, "it has begun")
    showing.teller.end()
    wait_for(lambda: demo.over, "its end")
    told = showing.teller.telling()
    assert demo.well and told.state == "ended" and told.chapters[1].state == "to come"


def test_the_terminal_says_what_happens_where_to_look_and_what_came_of_it() -> None:
    file = io.StringIO()
    shown = StepsShown(Terminal(console=Console(file=file, width=60)), "http://127.0.0.1:8100/", lambda: 8)
    step = Chapter(title="A kill", text="It is killed.", look="the start page", link="/", state="now")
    shown(4, step)
    shown(4, Chapter(title="A kill", text="It was killed.", state="done", seconds=2.2))
    shown(5, Chapter(title="It comes back", text="it does not", state="failed", seconds=61))
    assert [line for line in file.getvalue().splitlines() if line] == [
        "Step 5 of 8: A kill",
        "  It is killed.",
        "  Look at the start page:",
        "  http://127.0.0.1:8100/",
        "  Done after 2 s: It was killed.",
        "  FAILED after 1 min 01 s: it does not",
    ]


def test_on_a_narrow_terminal_sentences_are_broken_between_words() -> None:
    file = io.StringIO()
    Terminal(console=Console(file=file, width=24, force_terminal=True, color_system=None)).paragraph(
        "Events come late and twice."
    )
    assert file.getvalue().splitlines() == ["  Events come late and", "  twice."]


def test_its_settings_and_its_rule_are_valid_and_of_no_server_elsewhere() -> None:
    from ecom_lite.alerts.rules import read_rules

    settings = load_settings(NO_FILE, {}, dict(SETTINGS))
    assert settings.shop.history and settings.shop.rate == 20.0
    assert not settings.kafka.bootstrap and not settings.postgres.url.get_secret_value()
    rules = {rule.name: rule for rule in read_rules(bundled("alerts"), settings.alerts.folder)}
    usual = {rule.name: rule for rule in read_rules(bundled("alerts"))}
    assert rules.keys() == usual.keys(), "it replaces one, and adds none"
    assert rules[ALERT].threshold == usual[ALERT].threshold and rules[ALERT].window_s == 30
