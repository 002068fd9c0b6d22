"""What watches a run from outside: its metrics are the figures of `status`, and a part that hangs is named."""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ecom_lite.engines.ports import free_port
from tests.acceptance.test_loaders import LoadVerb
from tests.runs import START_S, LightRun, wait_for

NAMED_WITHIN_S = 28.0  # five after its last word, where nothing else wants the processor; after thirty it is ended
ANSWER_S = 60.0
PARTITIONS = 4
# Late enough that some are still held when three commands have been started, one after the other, since the pause.
FAULTS = {"ECOM_LITE_FAULTS__LATE": "20%", "ECOM_LITE_FAULTS__LATE_S": "30", "ECOM_LITE_FAULTS__MALFORMED": "10%"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LightRun]:
    env = {**FAULTS, "ECOM_LITE_LOAD__PROCESSES": "2"}
    run = LightRun(tmp_path_factory.mktemp("monitoring") / "data", "--rate", "100", env=env)
    try:
        yield run.wait_ready()
    finally:
        run.close()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def page(run: LightRun, path: str) -> tuple[int, str]:
    return get(run.state["addresses"]["dashboards"] + path)


def scrape(text: str) -> dict[str, dict[str, float]]:
    """Name -> value by its one label, "" where it has none; of histograms the count and the buckets."""
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert len(sample.labels) <= 1
            found.setdefault(sample.name, {})["".join(sample.labels.values())] = sample.value
    return found


def of_one_moment(run: LightRun) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """`status --json`, and the metrics of the same second: the run has a new picture a moment before the file has it."""

    def both() -> tuple[dict[str, Any], dict[str, dict[str, float]]] | None:
        status, (_, text) = run.state, page(run, "metrics")
        metrics = scrape(text)
        return (status, metrics) if metrics["ecom_lite_uptime_seconds"] == {"": status["uptime_s"]} else None

    return wait_for(both, "a scrape between two ticks")  # type: ignore[no-any-return]


def test_metrics_are_the_figures_of_status(run: LightRun) -> None:
    wait_for(lambda: run.state["dead"] > 10 and run.state["dbt"] and run.state["disk_bytes"], "figures of all kinds", START_S)
    wait_for(lambda: "lake" in run.state["resident_bytes"], "the lake, which begins behind a run that is ready")
    wait_for(lambda: run.state["dbt"]["succeeded_at"] and run.state["dbt_models"], "the first dbt run", START_S)

    def whole() -> tuple[dict[str, Any], dict[str, dict[str, float]]] | None:
        """Of a second in which all parts have said something, and the shop holds something back."""
        found = of_one_moment(run)
        status = found[0]
        parts = {"run", "kafka", "postgres", "load", "load-2", "lake", "produce"}
        said = set(status["resident_bytes"]) == parts and len(status["load"]["lags"]) == PARTITIONS
        return found if said and status["held"] and "daily_sales" in status["dbt_models"] else None

    status, metrics = wait_for(whole, lambda: f"figures of all parts: {run.state}")
    assert metrics["ecom_lite_events_sent_total"] == {"": status["sent"]} and status["sent"] > 0
    outcomes = {"fact": status["facts"], "duplicate": status["duplicates"], "other": status["other"], "dead": status["dead"]}
    assert metrics["ecom_lite_events_loaded_total"] == outcomes and all(outcomes[name] for name in ("fact", "other", "dead"))
    assert metrics["ecom_lite_events_sent_per_second"] == {"": status["sent_per_s"]}
    assert metrics["ecom_lite_events_loaded_per_second"] == {"": status["loaded_per_s"]}
    assert metrics["ecom_lite_events_held"] == {"": status["held"]} and status["held"] > 0
    assert metrics["ecom_lite_dead_letters_total"] == status["load"]["dead_reasons"]
    assert sum(status["load"]["dead_reasons"].values()) == status["load"]["dead"]
    assert set(metrics["ecom_lite_lag_records"]) == {"0", "1", "2", "3"}
    assert sum(metrics["ecom_lite_lag_records"].values()) == status["lag"]
    assert metrics["ecom_lite_commit_delay_seconds_count"] == {"": status["load"]["commit_delay"]["counts"][-1]}
    assert list(metrics["ecom_lite_batch_seconds_bucket"].values()) == status["load"]["batch_time"]["counts"]
    assert metrics["ecom_lite_part_ready"] == {name: part["ok"] for name, part in status["parts"].items()}
    assert metrics["ecom_lite_resident_bytes"] == status["resident_bytes"]
    assert set(status["resident_bytes"]) == {"run", "kafka", "postgres", "load", "load-2", "lake", "produce"}
    assert metrics["ecom_lite_disk_bytes"] == status["disk_bytes"] and {"kafka", "postgres"} <= set(status["disk_bytes"])
    assert metrics["ecom_lite_dbt_run_seconds"] == {"": status["dbt"]["seconds"]}
    assert metrics["ecom_lite_dbt_last_success_timestamp_seconds"][""] > 1.7e9
    models = status["dbt_models"]
    assert {"daily_sales", "stg_sales"} <= models.keys()
    assert metrics["ecom_lite_dbt_model_seconds"] == {name: model["seconds"] for name, model in models.items()}
    assert set(metrics["ecom_lite_dbt_model_ok"].values()) == {1} and set(
        metrics["ecom_lite_dbt_model_tests_failed"].values()
    ) == {0}
    assert metrics["ecom_lite_dbt_model_rows"]["daily_sales"] > 0 and "stg_sales" not in metrics["ecom_lite_dbt_model_rows"]
    shown = json.loads(run.verb("status", "--json").stdout)
    assert shown.keys() == status.keys() - {"control_token"}


def shown(run: LightRun, title: str) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of a panel of the board Pipeline Health, of the last minutes. One that is busy is asked once more."""
    panels = {panel["title"]: panel["id"] for panel in json.loads(page(run, "api/boards/pipeline-health")[1])["panels"]}
    said = ""

    def answered() -> dict[str, Any] | None:
        nonlocal said
        code, said = page(run, f"api/boards/pipeline-health/panels/{panels[title]}?from=now-5m&to=now")
        answer: dict[str, Any] = json.loads(said)
        return answer if code == 200 and answer["state"] in ("ok", "empty") else None

    answer = wait_for(answered, lambda: f"the panel {title!r}: {said}")
    frames = answer["frames"] or [{"columns": [], "rows": []}]
    return [column["name"] for column in frames[0]["columns"]], frames[0]["rows"]


def test_the_run_records_its_health_and_the_count_closes_while_it_runs(run: LightRun) -> None:
    wait_for(lambda: len(shown(run, "Lag by partition")[1]) > 1, "samples of two steps")
    assert shown(run, "Lag by partition")[0] == ["time", "Partition 0", "Partition 1", "Partition 2", "Partition 3"]
    assert shown(run, "Count that closes")[1] == [[0]], "events under way are lag, and no hole"
    parts = {row[0]: row[1] for row in shown(run, "What became of every event")[1]}
    assert (
        parts["Facts"] > 0
        and parts["Dead letters"] > 0
        and parts["On the topics"]
        >= sum(parts[name] for name in ("Facts", "Other events", "Duplicates", "Dead letters", "Markers", "Lost"))
    )

    def rates() -> list[str] | None:
        """The columns, once the newest step has them all: a sample of a broker that was busy has no ends of the topics."""
        names, rows = shown(run, "Events in and out")
        return names if rows and all(rate is not None and rate > 0 for rate in rows[-1][1:]) else None

    assert wait_for(rates, "rates")[1:] == ["Onto the topics", "Sent by the shop", "Loaded"]
    assert wait_for(lambda: shown(run, "Delay p95")[1], "a delay")[0][0] > 0
    wait_for(lambda: "lake" in run.state["resident_bytes"], "the lake, which begins behind a run that is ready")
    wait_for(
        lambda: set(shown(run, "Memory by part")[0]) == {"time", *run.state["resident_bytes"]},
        "a sample since the last part began",
    )
    wait_for(lambda: {"kafka", "postgres"} <= set(shown(run, "Disk by store")[0]), "the disk")
    wait_for(lambda: newest(*shown(run, "Parts")).get("Kafka") == "ready", "Kafka among the parts")


def newest(columns: list[str], rows: list[list[Any]]) -> dict[str, Any]:
    """The last row by its columns; {} where there is none."""
    return dict(zip(columns, rows[-1], strict=True)) if rows else {}


def named(run: LightRun, part: str) -> dict[str, str] | None:
    """Why the run is not ready, by part, once `part` is among them."""
    code, text = page(run, "ready")
    reasons = {} if code == 200 else {reason["part"]: reason["detail"] for reason in json.loads(text)["reasons"]}
    return reasons if part in reasons else None


@pytest.mark.parametrize("part", ["load", "load-2", "produce"])
def test_a_process_that_hangs_is_named_and_health_stays(run: LightRun, part: str) -> None:
    wait_for(lambda: page(run, "ready")[0] == 200, "all is well")
    step = "producer" if part == "produce" else "loader"

    def service() -> bool:
        found = json.loads(page(run, "api/status")[1])["services"][step]
        return not found["ok"] and "silent for " in found["detail"] and (step == "producer" or part in found["detail"])

    def status() -> bool:
        said = run.verb("status")
        return said.returncode == 1 and f"{part}: silent for " in said.stdout

    def metrics() -> bool:
        _, found = of_one_moment(run)
        return found["ecom_lite_part_ready"][part] == 0 and found["ecom_lite_ready"] == {"": 0}

    def alone() -> str:
        # Who was stopped within a transaction keeps its rows locked, and the other loader says truly that it waits for them.
        reasons = named(run, part) or {}
        others = [detail for name, detail in reasons.items() if name != part and "lock timeout" not in detail]
        return "" if others else reasons.get(part, "")

    with Stopped(run, part) as stopped:
        assert wait_for(alone, f"{part} alone to be missed", NAMED_WITHIN_S).startswith("silent for ")
        assert page(run, "health")[0] == 200
        for place, told in {"the page": service, "`status`": status, "the metrics": metrics}.items():
            wait_for(stopped.look(told), f"{place} to tell of {part}")
    wait_for(lambda: page(run, "ready")[0] == 200, f"{part} is back")


class Stopped:
    """A part whose process stands still. One that is ended for that, after thirty seconds, has an heir: that is stopped, too."""

    def __init__(self, run: LightRun, part: str) -> None:
        self._run, self._part = run, part
        self._pid = 0

    def __enter__(self) -> Stopped:
        wait_for(self._stop, f"{self._part} to be stopped")
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGCONT)

    def look(self, told: Callable[[], bool]) -> Callable[[], bool]:
        """`told`, of a part that stands still."""

        def looked() -> bool:
            self._stop()
            return told()

        return looked

    def _stop(self) -> int:
        pid = self._run.note_processes().get(self._part, self._pid)
        if pid != self._pid and self._run.state["parts"][self._part]["state"] == "ready":
            os.kill(pid, signal.SIGSTOP)
            self._pid = pid
        return self._pid


def test_a_restart_is_counted_and_takes_no_figure_back(run: LightRun) -> None:
    wait_for(lambda: page(run, "ready")[0] == 200, "all is well")
    before, _ = of_one_moment(run)
    # One that stood still for long, as it has above, may have been started again by then.
    restarts = before["parts"]["load"]["restarts"] + 1
    os.kill(run.note_processes()["load"], signal.SIGKILL)
    wait_for(lambda: run.state["parts"]["load"]["restarts"] == restarts and page(run, "ready")[0] == 200, "the restart")
    after, metrics = of_one_moment(run)
    assert metrics["ecom_lite_part_restarts_total"]["load"] == restarts
    assert after["load"]["records"] >= before["load"]["records"]
    for reason, count in before["load"]["dead_reasons"].items():
        assert metrics["ecom_lite_dead_letters_total"][reason] >= count


def test_loaders_beside_a_run_serve_their_own_metrics(run: LightRun) -> None:
    port = free_port()
    verb = LoadVerb(run.data_dir, env={"ECOM_LITE_LOAD__METRICS_PORT": str(port)})
    try:
        verb.wait_ready()
        url = f"http://127.0.0.1:{port}/metrics"
        assert url in verb.said.read_text()

        def loading() -> dict[str, dict[str, float]] | None:
            found = scrape(get(url)[1])
            well = found["ecom_lite_part_ready"] == {"load": 1}  # it is not for a moment where the machine stands still
            return found if well and found.get("ecom_lite_loader_events_total", {}).get("fact") else None

        metrics = wait_for(loading, "facts of its own")
        assert metrics["ecom_lite_commit_delay_seconds_count"][""] > 0
        assert "ecom_lite_events_sent_total" not in metrics, "that is the run's"
        code, summary = verb.end(signal.SIGINT)
        assert code == 130 and summary["facts"] >= metrics["ecom_lite_loader_events_total"]["fact"]
    finally:
        verb.close()


def test_a_pause_says_what_still_comes_until_it_has_come(run: LightRun) -> None:
    wait_for(lambda: run.state["held"] > 20, "held-back events")
    said = run.verb("pause")
    assert said.returncode == 0 and "late events still to come; then 100 orders/s" in said.stdout
    assert int(said.stdout.split("paused, ")[1].split()[0].replace(",", "")) > 0
    wait_for(lambda: run.state["paused"], "the pause")
    assert "late events still to come" in run.verb("status").stdout
    wait_for(lambda: run.state["held"] == 0, "the held ones to be sent", START_S)
    assert "still to come" not in run.verb("status").stdout
    assert "still to come" not in run.verb("pause").stdout
    assert run.verb("resume").returncode == 0
