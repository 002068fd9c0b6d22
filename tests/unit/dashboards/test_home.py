"""The start page: the chain's nodes and edges, the count, what to do next, the logs, and who may have what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from ecom_lite.dashboards import Page
from ecom_lite.dashboards.chain import chain, count
from ecom_lite.dashboards.hints import MOST, hints
from ecom_lite.dashboards.home import Home
from ecom_lite.dashboards.log_tails import log_tail, masked
from ecom_lite.errors import EcomLiteError, UsageError
from ecom_lite.observe.figures import DbtFigures, StreamFigures
from ecom_lite.observe.status import PartStatus, RunStatus
from ecom_lite.observe.story import Chapter, Telling
from ecom_lite.warehouse.connect import Address
from tests.unit.dashboards.asking import ask

BOARDS = Path(__file__).resolve().parents[3] / "grafana" / "dashboards"
NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {"ecom_reader": "none"})  # no query is asked here
WELL = PartStatus(state="ready", ok=True)
PARTS = dict.fromkeys(("kafka", "postgres", "page", "schedule", "load", "produce"), WELL)
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
BUILT = DbtFigures(
    run_id=3, trigger="schedule", status="success", seconds=2.5, finished_at="2026-05-01T11:59:20+00:00",
    succeeded_at="2026-05-01T11:59:20+00:00",
)  # fmt: skip


def nodes(status: RunStatus) -> dict[str, dict[str, object]]:
    return {node["id"]: node for node in chain(status)["nodes"]}


def test_the_chain_of_a_light_run_has_no_spark_and_every_edge_joins_two_nodes() -> None:
    light = RunStatus(state="running", parts=PARTS)
    full = RunStatus(
        state="running", parts={**PARTS, "spark": WELL, "stream": WELL},
        stream=StreamFigures(batch=4, rows_per_s=12.4, batch_ms=300, watermark_lag_s=125),
    )  # fmt: skip
    for status, expected in ((light, 7), (full, 8)):
        found = chain(status)
        ids = {node["id"] for node in found["nodes"]}
        assert len(ids) == len(found["nodes"]) == expected
        assert {edge["from"] for edge in found["edges"]} | {edge["to"] for edge in found["edges"]} == ids
    to_spark, from_spark = (edge for edge in chain(full)["edges"] if "spark" in (edge["from"], edge["to"]))
    assert (to_spark["rate"], from_spark["watermark_s"]) == (12, 125)
    assert nodes(full)["spark"]["value"] == 300


@pytest.mark.parametrize(
    ("part", "node", "state", "detail"),
    [
        (PartStatus(state="restarting", restarts=2), "load", "busy", "restarting"),
        (PartStatus(state="ready", detail="waits for PostgreSQL"), "load", "bad", "waits for PostgreSQL"),
        (PartStatus(state="failed"), "load", "bad", "failed"),
        (WELL, "load", "ok", ""),
    ],
)
def test_a_node_is_as_well_as_its_part(part: PartStatus, node: str, state: str, detail: str) -> None:
    found = nodes(RunStatus(state="running", parts={**PARTS, "load": part}))[node]
    assert (found["state"], found["detail"], found["restarts"], found["log"]) == (state, detail, part.restarts, "load")


def test_what_is_set_on_purpose_and_what_went_wrong_is_seen() -> None:
    assert nodes(RunStatus(parts=PARTS, paused=True))["shop"]["detail"] == "paused"
    assert nodes(RunStatus(parts=PARTS, faults={"late": 0.1}))["shop"]["state"] == "warn"
    assert nodes(RunStatus(parts=PARTS, dead=1))["dead"]["state"] == "warn"
    before = nodes(RunStatus(parts=PARTS))["marts"]
    assert (before["state"], before["value"], before["unit"]) == ("off", None, ""), "no unit without a figure"
    runs = nodes(RunStatus(parts=PARTS, dbt=DbtFigures(run_id=1, trigger="t", status="running", seconds=7, message="")))["marts"]
    assert (runs["detail"], runs["unit"]) == ("building", "s until now")
    wrong = DbtFigures(run_id=1, trigger="t", status="tests failed", seconds=1, message="unique failed\nmore")
    assert (nodes(RunStatus(parts=PARTS, dbt=wrong))["marts"]["state"], wrong.message) == ("bad", "unique failed\nmore")
    assert nodes(RunStatus(parts=PARTS, dbt=wrong))["marts"]["detail"] == "unique failed"
    yours = nodes(RunStatus(parts={"load": WELL}, facts=5))
    assert yours["shop"]["title"] == "Your events" and yours["shop"]["value"] == 5
    assert (yours["kafka"]["state"], yours["kafka"]["detail"]) == ("off", "your own server")


def test_both_sides_of_the_count_are_equal_whatever_is_on_the_way() -> None:
    for sent, own, lag in ((100, 100, 0), (140, 100, 40), (100, 100, 3)):
        status = RunStatus(sent=sent, own=own, facts=90, duplicates=5, other=6, dead=9, lag=lag)  # ten are of others
        found = count(status)
        right = sum(found[kind] for kind in ("facts", "other", "duplicates", "dead", "lost", "on_the_way"))
        assert found["sent"] + found["others"] == right
        assert found["closes"] is (sent == own and lag == 0)


def test_a_part_that_was_stopped_with_its_run_is_not_unwell() -> None:
    parts = {**PARTS, "load": PartStatus(state="stopped"), "produce": PartStatus(state="stopped")}
    found = {node["id"]: node["state"] for node in chain(RunStatus(state="draining", parts=parts))["nodes"]}
    assert found["load"] == "busy" and "bad" not in found.values()


def words(status: RunStatus) -> str:
    return "\n".join(f"{hint.text} {hint.command}" for hint in hints(status, NOW, 300, "127.0.0.1:9092", "ecommerce_events"))


def test_the_hints_follow_the_state_of_the_run() -> None:
    new = RunStatus(state="running", parts=PARTS, rate=5.0)
    assert "facts appear within a second" in words(new)
    filling = RunStatus(state="running", parts=PARTS, rate=5.0, facts=10)
    assert "built for the first time" in words(filling)
    built = RunStatus(state="running", parts=PARTS, rate=5.0, facts=10, dbt=BUILT)
    assert "The marts are 40 s old, and built every 5 min" in words(built) and "ecom_lite rate 200" in words(built)
    long_ago = next(iter(hints(built, NOW + timedelta(days=331), 300, "127.0.0.1:9092", "ecommerce_events")))
    assert "The marts are 331 d old" in long_ago.text, "as the chain says it"
    quick = RunStatus(state="running", parts=PARTS, rate=500.0, facts=10, dbt=BUILT)
    assert "rate 200" not in words(quick) and "ecom_lite sql" in words(quick) and "ecom_lite check" in words(quick)
    paused = RunStatus(state="running", parts=PARTS, rate=5.0, facts=10, dbt=BUILT, paused=True, held=2)
    assert "2 late events still to come" in words(paused) and "ecom_lite resume" in words(paused)
    dead = RunStatus(state="running", parts=PARTS, facts=10, dbt=BUILT, dead=1)
    assert "One record was no valid event, and kept with the reason. Look at them: ecom_lite" in words(
        dead
    ) and "ecom_lite dead list" in words(dead)
    down = RunStatus(state="running", parts={**PARTS, "load": PartStatus(state="restarting")}, facts=10, dbt=BUILT)
    assert words(down).startswith("Not well just now: load.")
    for state in ("draining", "stopping", "stopped"):  # a part that has ended is not unwell
        ending = replace(down, state=state)
        assert words(ending).startswith("The run is being stopped") and "Not well" not in words(ending)
    empty = RunStatus(state="running", parts={"load": WELL})
    assert "ecom_lite produce orders.json" in words(empty)
    for status in (new, filling, built, quick, paused, dead, down):
        assert 2 <= len(hints(status, NOW, 300, "", "")) <= MOST


class Teller:
    """Stands where the run's story stands."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.failure: Exception | None = None

    def begin(self, part: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.did.append(part)

    def end(self) -> None:
        self.did.append("end")

    def telling(self) -> Telling:
        return Telling(state="telling", part="load", parts=["load"], chapters=[Chapter(title="All is calm", state="now")])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("data")
    (folder / "logs").mkdir()
    (folder / "logs" / "load.log").write_text("".join(f"line {n}, hush-hush\n" for n in range(300)))
    (folder / "logs" / "dashboards.log").write_text("of the page\n")
    (folder / "logs" / "libraries.log").write_text("of nobody\n")
    (folder / "secrets.json").write_text('{"ecom_loader": "hush-hush"}')
    return folder


@pytest.fixture(scope="module")
def serving(folder: Path) -> Iterator[tuple[Page, Teller]]:
    teller = Teller()
    status = RunStatus(state="running", parts=PARTS, rate=5.0, facts=7, sent=7, own=7)
    home = Home(
        folder, secrets=lambda: ["hush-hush", "li"], story=teller, addresses=lambda: {"Grafana": "http://127.0.0.1:3000/"}
    )
    page = Page(NOWHERE, BOARDS, "127.0.0.1", 0, lambda: status, home=home)
    page.start()
    yield page, teller
    page.stop()


@pytest.fixture
def page(serving: tuple[Page, Teller]) -> Page:
    return serving[0]


@pytest.fixture
def teller(serving: tuple[Page, Teller]) -> Teller:
    serving[1].__init__()  # type: ignore[misc]
    return serving[1]


def test_the_start_page_is_there_and_neither_it_nor_what_it_asks_has_the_token(page: Page) -> None:
    for path in ("/", "/api/chain", "/api/story"):
        status, headers, answer = ask(page, path)
        assert status == 200 and page.token not in f"{headers} {answer}", path
    assert "<script>" not in ask(page, "/")[2] and "style=" not in ask(page, "/")[2]
    found = ask(page, "/api/chain")[2]
    assert found["here"] is True and found["pages"] == {"Grafana": "http://127.0.0.1:3000/"} and found["login"] is False
    assert {board["uid"] for board in found["boards"]} >= {"realtime-operations", "business-intelligence"}
    assert all(board["description"] for board in found["boards"])


def test_the_end_of_a_log_is_for_who_has_the_token_and_has_no_secret_in_it(page: Page) -> None:
    assert ask(page, "/api/logs/load")[0] == 401
    found = ask(page, "/api/logs/load?lines=2", token=True)[2]
    assert found == {"part": "load", "lines": ["line 298, ***", "line 299, ***"], "more": True}
    assert ask(page, "/api/logs/page", token=True)[2]["lines"] == ["of the page"]  # its log has another name


@pytest.mark.parametrize(
    "part", ["libraries", "nothing", "..%2Fsecrets.json", "%2e%2e%2fsecrets", "load.log", "loa", "*", "kafka"]
)
def test_only_parts_of_this_run_have_a_log(page: Page, part: str) -> None:
    status, _, answer = ask(page, f"/api/logs/{part}", token=True)
    assert status == 404 and "hush" not in str(answer)


@pytest.mark.parametrize("lines", ["0", "-1", "1001", "x", "1e3", "9" * 400, "0001" + "0" * 5000, ""])
def test_a_wrong_number_of_lines_is_refused(page: Page, lines: str) -> None:
    status, _, answer = ask(page, f"/api/logs/load?lines={lines}", token=True)
    assert status == 400 and "give a number from 1 to 1,000" in answer["error"]


def test_the_end_of_a_log_is_a_bounded_read(tmp_path: Path) -> None:
    log = tmp_path / "load.log"
    log.write_text("x" * 5000 + "\n" + "short\n" * 3)
    assert log_tail(log, 10, most_bytes=100) == (["short"] * 3, True)
    assert log_tail(log, 2) == (["short"] * 2, True)
    (tmp_path / "load.log.1").write_text("older\n")
    log.write_text("new\n")
    assert log_tail(log, 10) == (["older", "new"], False)  # it was cut a moment ago
    assert masked("a=s3cret b=s3cret", ["s3cret"]) == "a=*** b=***"


def test_a_story_is_begun_and_ended_by_who_has_the_token(page: Page, teller: Teller) -> None:
    assert ask(page, "/api/story", "POST", {"part": "load"})[0] == 401 and teller.did == []
    status, _, told = ask(page, "/api/story", "POST", {"part": "load"}, token=True)
    assert (status, told["state"], told["chapters"][0]["title"]) == (200, "telling", "All is calm")
    assert ask(page, "/api/story", "POST", {"end": True}, token=True)[0] == 200
    assert teller.did == ["load", "end"]
    foreign = {"origin": "https://evil.example"}
    assert ask(page, "/api/story", "POST", {"part": "load"}, token=True, headers=foreign)[0] == 403


@pytest.mark.parametrize("body", [{}, {"part": 1}, {"part": "load", "x": 1}, {"end": False}, "no json", "[" * 4000])
def test_a_wrong_wish_is_refused_with_the_right_shape(page: Page, teller: Teller, body: object) -> None:
    status, _, answer = ask(page, "/api/story", "POST", body, token=True)
    assert status == 400 and '{"part": "load"}' in answer["error"] and teller.did == []


def test_what_the_run_refuses_is_told(page: Page, teller: Teller) -> None:
    for failure, code in ((UsageError("never killed"), 400), (EcomLiteError("one is told already"), 409)):
        teller.failure = failure
        assert ask(page, "/api/story", "POST", {"part": "load"}, token=True)[::2] == (code, {"error": str(failure)})
    assert ask(page, "/api/story", "POST", "x" * 5000, token=True)[0] == 413
