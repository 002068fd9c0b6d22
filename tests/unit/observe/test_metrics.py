"""The metrics: what is declared is emitted and nothing else, in a form that Prometheus reads, and documented."""

from __future__ import annotations

import re
import socket
import urllib.request

import pytest
from msgspec.structs import asdict
from prometheus_client.parser import text_string_to_metric_families

from ecom_lite.errors import PortTaken
from ecom_lite.observe.figures import (
    AlertFigures,
    ArchiveFigures,
    CheckFigures,
    DbtFigures,
    LakeFigures,
    LoaderFigures,
    ModelFigures,
    StreamFigures,
)
from ecom_lite.observe.histogram import BATCH_BOUNDS_S, DELAY_BOUNDS_S, Histogram
from ecom_lite.observe.metrics import METRICS, OF_LOADERS, PAGE, docs, rendered
from ecom_lite.observe.room import Room
from ecom_lite.observe.status import PartStatus, RunStatus
from ecom_lite.run.metrics_server import metrics_server

SUFFIX = {"histogram": ("_bucket", "_count", "_sum")}


def observed(bounds: tuple[float, ...], *seconds: float) -> Histogram:
    histogram = Histogram(bounds)
    for each in seconds:
        histogram.observe(each)
    return histogram


AT = "2026-11-23T07:00:00+00:00"
FULL = RunStatus(
    state="running", uptime_s=9, sent=100, facts=80, duplicates=3, other=4, dead=5, lost=6, held=7, sent_per_s=8, loaded_per_s=9,
    load=LoaderFigures(
        facts=40, dead=5, dead_reasons={"not_json": 2, 'a "quoted"\nreason': 3}, lags={"0": 11, "3": 0},
        commit_delay=observed(DELAY_BOUNDS_S, 0.2, 400).buckets(), batch_time=observed(BATCH_BOUNDS_S, 0.01).buckets(),
    ),
    stream=StreamFigures(
        batch=1, rows_per_s=2, batch_ms=1500, watermark_lag_s=61, late_rows=4, state_rows=70,
        phases_ms={"addBatch": 1250, "walCommit": 8},
    ),
    lake=LakeFigures(age_s=1.5, raw=ArchiveFigures(records=12, files_kept=3, bytes_kept=4000, lag=5)),
    dbt=DbtFigures(run_id=2, trigger="refresh", status="running", seconds=0.5, succeeded_at="2026-11-23T07:00:00+00:00"),
    dbt_models={
        "daily_sales": ModelFigures(ok=False, seconds=0.25, rows=30, tests_failed=2),
        "stg_sales": ModelFigures(ok=True, seconds=0.125),
    },
    checks={
        "stock": CheckFigures(state="pass", severity="error", at="2026-11-23T07:00:00+00:00"),
        "prices": CheckFigures(state="error", severity="warning", at="2026-11-23T07:00:00+00:00"),
        "later": CheckFigures(state="skipped", severity="error", at="2026-11-23T07:00:00+00:00"),
    },
    alerts={
        "lag": AlertFigures(title="Behind", severity="critical", state="firing", since=AT, at=AT, told="61 s", problem="no data"),
        "disk": AlertFigures(title="Full", severity="critical", state="ok", since=AT, at=AT, told="7 GB"),
    },
    resident_bytes={"run": 1000}, disk_bytes={"kafka": 2000},
    room=Room(state="none", place="/data", percent=99.0, free_bytes=3000),
    parts={"load": PartStatus(state="ready", ok=True), "load-2": PartStatus(state="restarting", restarts=2)},
)  # fmt: skip


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """As prometheus-client's own parser reads them: (name, labels) -> value."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, f"{key} twice"
            found[key] = sample.value
    return found


def test_all_that_is_declared_is_emitted_and_nothing_else() -> None:
    expected = {metric.name + suffix for metric in METRICS for suffix in SUFFIX.get(metric.kind, ("",))}
    found = samples(rendered(FULL).decode())
    assert {name for name, _ in found} == expected
    declared = {metric.name: set(metric.labels) for metric in METRICS}
    for name, labels in found:
        base = name if name in declared else re.sub(r"_(bucket|count|sum)$", "", name)
        assert {label for label, _ in labels} - {"le"} == declared[base], name


def test_types_and_help_are_as_declared() -> None:
    families = {family.name: family for family in text_string_to_metric_families(rendered(FULL).decode())}
    for metric in METRICS:
        family = families[metric.name.removesuffix("_total") if metric.kind == "counter" else metric.name]
        assert (family.type, family.documentation) == (metric.kind, metric.help)


def test_names_and_units_are_by_prometheus_conventions() -> None:
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))
    for metric in METRICS:
        assert re.fullmatch(r"ecom_lite_[a-z][a-z_]*", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert metric.help.endswith(".") and "\n" not in metric.help and "|" not in metric.help
        assert metric.unit in ("", "seconds", "bytes", "events per second", "seconds since 1970")
        if metric.unit in ("seconds", "bytes", "seconds since 1970"):
            assert metric.name.endswith(metric.unit.split()[0]), metric.name
        assert (metric.kind == "histogram") == bool(metric.bounds_s)


def test_figures_are_those_of_the_status() -> None:
    found = samples(rendered(FULL).decode())
    one = {name: value for (name, labels), value in found.items() if not labels}
    assert one["ecom_lite_events_sent_total"] == 100 and one["ecom_lite_ready"] == 0
    assert one["ecom_lite_spark_batch_seconds"] == 1.5 and one["ecom_lite_dbt_last_success_timestamp_seconds"] == 1_795_417_200
    assert one["ecom_lite_commit_delay_seconds_count"] == 2 and one["ecom_lite_commit_delay_seconds_sum"] == 400.2
    assert one["ecom_lite_spark_state_rows"] == 70 and one["ecom_lite_spark_late_rows_total"] == 4
    assert one["ecom_lite_spark_input_rows_per_second"] == 2
    assert found["ecom_lite_spark_phase_seconds", (("phase", "addBatch"),)] == 1.25
    assert found["ecom_lite_commit_delay_seconds_bucket", (("le", "0.25"),)] == 1
    assert found["ecom_lite_commit_delay_seconds_bucket", (("le", "+Inf"),)] == 2
    assert found["ecom_lite_events_loaded_total", (("outcome", "duplicate"),)] == 3
    assert found["ecom_lite_loader_events_total", (("outcome", "fact"),)] == 40
    assert found["ecom_lite_dead_letters_total", (("reason", 'a "quoted"\nreason'),)] == 3
    assert found["ecom_lite_lag_records", (("partition", "0"),)] == 11
    assert found["ecom_lite_part_ready", (("part", "load"),)] == 1
    assert found["ecom_lite_part_restarts_total", (("part", "load-2"),)] == 2
    checks = {dict(labels)["check"]: value for (name, labels), value in found.items() if name == "ecom_lite_check_ok"}
    assert checks == {"stock": 1, "prices": 0}
    by_model = {(name.removeprefix("ecom_lite_dbt_model_"), dict(labels)["model"]): value
                for (name, labels), value in found.items() if "_dbt_model_" in name}  # fmt: skip
    assert by_model == {
        ("ok", "daily_sales"): 0, ("seconds", "daily_sales"): 0.25,
        ("rows", "daily_sales"): 30, ("tests_failed", "daily_sales"): 2,
        ("ok", "stg_sales"): 1, ("seconds", "stg_sales"): 0.125, ("tests_failed", "stg_sales"): 0,
    }  # fmt: skip
    firing = {dict(labels)["rule"]: value for (name, labels), value in found.items() if name == "ecom_lite_alert_firing"}
    unknown = {dict(labels)["rule"]: value for (name, labels), value in found.items() if name == "ecom_lite_alert_unknown"}
    assert (firing, unknown) == ({"lag": 1, "disk": 0}, {"lag": 1, "disk": 0})
    labels = (("check", "prices"), ("severity", "warning"))
    assert found["ecom_lite_check_timestamp_seconds", labels] == 1_795_417_200


def test_what_is_not_known_yet_has_no_sample() -> None:
    found = {name for name, _ in samples(rendered(RunStatus()).decode())}
    assert "ecom_lite_events_sent_total" in found
    assert not [name for name in found if re.search("spark|dbt|check|alert|commit_delay|batch|lag|part|resident|disk", name)]


def test_the_document_is_current() -> None:
    assert PAGE.read_text("utf-8") == docs(), "run `make docs`"
    for metric in METRICS:
        assert f"`{metric.name}`" in docs()


def test_loaders_alone_serve_their_own_metrics_until_they_end() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        with pytest.raises(PortTaken, match=rf"load\.metrics_port = {port} cannot be used on 127\.0\.0\.1"):
            with metrics_server(port, RunStatus):
                pass
    with metrics_server(port, lambda: FULL) as url:
        with urllib.request.urlopen(url, timeout=60) as answer:
            found = samples(answer.read().decode())
    bases = {name if name.endswith("_total") else re.sub(r"_(bucket|count|sum)$", "", name) for name, _ in found}
    assert bases == {metric.name for metric in OF_LOADERS}
    with pytest.raises(OSError):
        urllib.request.urlopen(url, timeout=1)
    with metrics_server(None, RunStatus) as nowhere:
        assert nowhere == ""


def test_every_figure_of_the_loaders_is_in_a_metric_or_named_as_left_out() -> None:
    """Whoever adds a figure decides whether it is a metric."""
    metrics = {"facts", "duplicates", "other", "dead", "dead_reasons", "commit_delay", "batch_time", "lags"}
    left_out = {"records", "batches", "delay_ms", "partitions", "standing_by", "waiting_for"}
    assert asdict(LoaderFigures()).keys() == metrics | left_out
