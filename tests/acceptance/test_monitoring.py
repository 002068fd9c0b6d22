"""What watches a run from outside: its metrics are the figures of `status`, and a part that hangs is named."""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ecom_lite.engines.ports import free_port
from tests.acceptance.test_loaders import LoadVerb
from tests.runs import LightRun, wait_for

NAMED_WITHIN_S = 20.0  # five after its last word, where nothing else wants the processor; after thirty it is ended
ANSWER_S = 60.0
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
    wait_for(lambda: run.state["dead"] > 10 and run.state["dbt"] and run.state["disk_bytes"], "figures of all kinds")
    wait_for(lambda: "lake" in run.state["resident_bytes"], "the lake, which begins behind a run that is ready")
    wait_for(lambda: run.state["dbt"]["succeeded_at"] and run.state["dbt_models"], "the first dbt run, and no other at work")
    status, metrics = of_one_moment(run)
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
    """Columns and rows of a panel of the board Pipeline Health, of the last minutes."""
    panels = {panel["title"]: panel["id"] for panel in json.loads(page(run, "api/boards/pipeline-health")[1])["panels"]}
    code, text = page(run, f"api/boards/pipeline-health/panels/{panels[title]}?from=now-5m&to=now")
    answer = json.loads(text)
    assert code == 200 and answer["state"] in ("ok", "empty"), text
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
    names, _ = wait_for(
        lambda: found if (found := shown(run, "Events in and out"))[1] and min(found[1][-1][1:]) > 0 else None, "rates"
    )
    assert names[1:] == ["Onto the topics", "Sent by the shop", "Loaded"]
    assert wait_for(lambda: shown(run, "Delay p95")[1], "a delay")[0][0] > 0
    wait_for(lambda: "lake" in run.state["resident_bytes"], "the lake, which begins behind a run that is ready")
    measured = {"time", *run.state["resident_bytes"]}
    wait_for(lambda: set(shown(run, "Memory by part")[0]) == measured, "a sample since the last part began")
    wait_for(lambda: {"kafka", "postgres"} <= set(shown(run, "Disk by store")[0]), "the disk")
    columns, states = shown(run, "Parts")
    assert dict(zip(columns, states[-1], strict=True))["Kafka"] == "ready"


def named(run: LightRun, part: str) -> dict[str, str] | None:
    """Why the run is not ready, by part, once `part` is among them."""
    code, text = page(run, "ready")
    reasons = {} if code == 200 else {reason["part"]: reason["detail"] for reason in json.loads(text)["reasons"]}
    return reasons if part in reasons else None


@pytest.mark.parametrize("part", ["load", "load-2", "produce"])
def test_a_process_that_hangs_is_named_and_health_stays(run: LightRun, part: str) -> None:
    wait_for(lambda: page(run, "ready")[0] == 200, "all is well")
    pid = run.note_processes()[part]
    os.kill(pid, signal.SIGSTOP)
    try:
        reasons = wait_for(lambda: named(run, part), f"{part} to be missed", NAMED_WITHIN_S)
        assert reasons.pop(part).startswith("silent for ")
        # Who was stopped within a transaction keeps its rows locked, and the other loader says truly that it waits for them.
        assert all("lock timeout" in detail for detail in reasons.values())
        assert page(run, "health")[0] == 200
        step = "producer" if part == "produce" else "loader"
        service = json.loads(page(run, "api/status")[1])["services"][step]
        assert not service["ok"] and "silent for " in service["detail"] and (step == "producer" or part in service["detail"])
        wait_for(lambda: not run.state["parts"][part]["ok"], "the state file")
        said = run.verb("status")
        assert said.returncode == 1 and f"{part}: silent for " in said.stdout
        _, metrics = of_one_moment(run)
        assert metrics["ecom_lite_part_ready"][part] == 0 and metrics["ecom_lite_ready"] == {"": 0}
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: page(run, "ready")[0] == 200, f"{part} is back")


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
            return found if found.get("ecom_lite_loader_events_total", {}).get("fact") else None

        metrics = wait_for(loading, "facts of its own")
        assert metrics["ecom_lite_part_ready"] == {"load": 1} and metrics["ecom_lite_commit_delay_seconds_count"][""] > 0
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
    wait_for(lambda: run.state["held"] == 0, "the held ones to be sent")
    assert "still to come" not in run.verb("status").stdout
    assert "still to come" not in run.verb("pause").stdout
    assert run.verb("resume").returncode == 0
