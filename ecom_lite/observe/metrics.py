"""The metrics of a run: each declared once, with its type, unit and labels, and read from the run's status.

`python -m ecom_lite.observe.metrics` writes docs/metrics.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from .figures import ArchiveFigures, CheckFigures, ModelFigures
from .histogram import BATCH_BOUNDS_S, DELAY_BOUNDS_S, Buckets
from .room import STATES
from .status import RunStatus

MEDIA_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"

Sample = tuple[tuple[str, ...], float | Buckets]  # label values, value


@dataclass(frozen=True)
class Metric:
    """`read` gives the samples of one moment: none where nothing is known yet. A histogram has `bounds_s`."""

    name: str
    kind: str  # counter, gauge, histogram
    help: str
    read: Callable[[RunStatus], Iterable[Sample]]
    labels: tuple[str, ...] = ()
    unit: str = ""  # of the value; "" counts things
    bounds_s: tuple[float, ...] = ()
    of_loaders: bool = False  # `ecom_lite load` has it too

    def family(self, status: RunStatus) -> Family:
        if self.kind == "histogram":
            histogram = HistogramMetricFamily(self.name, self.help, labels=self.labels)
            for labels, buckets in self.read(status):
                assert isinstance(buckets, Buckets)
                bounds = [*map(str, self.bounds_s), "+Inf"]
                histogram.add_metric(labels, list(zip(bounds, buckets.counts, strict=True)), buckets.sum_s)
            return histogram
        make = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        simple = make(self.name, self.help, labels=self.labels)
        for labels, value in self.read(status):
            assert not isinstance(value, Buckets)
            simple.add_metric(labels, value)
        return simple


def _one(value: float | Buckets | None) -> list[Sample]:
    return [] if value is None else [((), value)]


def _by(values: Mapping[Any, float]) -> list[Sample]:
    return [((str(name),), value) for name, value in values.items()]


def _histogram(buckets: Buckets) -> list[Sample]:
    return _one(buckets if buckets.counts else None)


def _outcomes(status: RunStatus) -> list[Sample]:
    return _by({"fact": status.facts, "duplicate": status.duplicates, "other": status.other, "dead": status.dead})


def _of_loaders(status: RunStatus) -> list[Sample]:
    load = status.load
    return _by({"fact": load.facts, "duplicate": load.duplicates, "other": load.other, "dead": load.dead})


def _checks(status: RunStatus, value: Callable[[CheckFigures], float | None]) -> list[Sample]:
    found = ((name, check, value(check)) for name, check in status.checks.items() if check.state != "skipped")
    return [((name, check.severity), sample) for name, check, sample in found if sample is not None]


def _models(status: RunStatus, value: Callable[[ModelFigures], float | None]) -> list[Sample]:
    found = {name: value(model) for name, model in status.dbt_models.items()}
    return _by({name: sample for name, sample in found.items() if sample is not None})


def _archive(status: RunStatus, value: Callable[[ArchiveFigures], float]) -> list[Sample]:
    return _one(value(status.lake.raw) if status.lake is not None and status.lake.raw is not None else None)


def _epoch(iso: str | None) -> float | None:
    return None if not iso else datetime.fromisoformat(iso).timestamp()


METRICS: Final = (
    Metric("ecom_lite_ready", "gauge", "1 when every part is ready and well, as /ready says.",
           lambda status: _one(not status.not_ready())),
    Metric("ecom_lite_part_ready", "gauge", "1 when the part is ready and well.",
           lambda status: _by({name: part.ok for name, part in status.parts.items()}), ("part",), of_loaders=True),
    Metric("ecom_lite_part_restarts_total", "counter", "Restarts of the part since the run began.",
           lambda status: _by({name: part.restarts for name, part in status.parts.items()}), ("part",), of_loaders=True),
    Metric("ecom_lite_uptime_seconds", "gauge", "Since the run began.", lambda status: _one(status.uptime_s), unit="seconds"),
    Metric("ecom_lite_events_sent_total", "counter", "Events that the simulated shop has sent, by its ledger, over all runs.",
           lambda status: _one(status.sent)),
    Metric("ecom_lite_events_sent_per_second", "gauge", "Events that the simulated shop has sent within the last second.",
           lambda status: _one(status.sent_per_s), unit="events per second"),
    Metric("ecom_lite_events_held", "gauge", "The shop's events that are held back (late, out of order) and still come.",
           lambda status: _one(status.held)),
    Metric("ecom_lite_events_loaded_total", "counter",
           "Records in the warehouse by what they became: fact, duplicate, other or dead; by all loaders, over all runs.",
           _outcomes, ("outcome",)),
    Metric("ecom_lite_loader_events_total", "counter",
           "Records that the loaders of this process have loaded since it began, by what they became.",
           _of_loaders, ("outcome",), of_loaders=True),
    Metric("ecom_lite_events_loaded_per_second", "gauge", "Records loaded within the last second, by all loaders.",
           lambda status: _one(status.loaded_per_s), unit="events per second"),
    Metric("ecom_lite_dead_letters_total", "counter",
           "Records that the loaders of this process have made dead letters since it began.",
           lambda status: _by(status.load.dead_reasons), ("reason",), of_loaders=True),
    Metric("ecom_lite_lost_records_total", "counter", "Offsets that retention removed before they were loaded, over all runs.",
           lambda status: _one(status.lost)),
    Metric("ecom_lite_lag_records", "gauge",
           "Records on the broker that are not in the warehouse, of the loaders' partitions; web_orders/3: of a further source.",
           lambda status: _by(status.load.lags), ("partition",), of_loaders=True),
    Metric("ecom_lite_commit_delay_seconds", "histogram",
           "From the broker's clock to the commit: of each batch its oldest record.",
           lambda status: _histogram(status.load.commit_delay), unit="seconds", bounds_s=DELAY_BOUNDS_S, of_loaders=True),
    Metric("ecom_lite_batch_seconds", "histogram", "How long each batch took to be written, waits for PostgreSQL included.",
           lambda status: _histogram(status.load.batch_time), unit="seconds", bounds_s=BATCH_BOUNDS_S, of_loaders=True),
    Metric("ecom_lite_dbt_run_seconds", "gauge", "The newest dbt run took so long, or has taken so far.",
           lambda status: _one(status.dbt.seconds if status.dbt else None), unit="seconds"),
    Metric("ecom_lite_dbt_last_success_timestamp_seconds", "gauge", "When the newest successful dbt run ended.",
           lambda status: _one(_epoch(status.dbt.succeeded_at) if status.dbt else None), unit="seconds since 1970"),
    Metric("ecom_lite_dbt_model_ok", "gauge",
           "1 when the newest dbt run that took the model has built it and none of its data tests failed.",
           lambda status: _models(status, lambda model: model.ok), ("model",)),
    Metric("ecom_lite_dbt_model_seconds", "gauge", "How long that run took to build the model; views only by dbt's own.",
           lambda status: _models(status, lambda model: model.seconds), ("model",), unit="seconds"),
    Metric("ecom_lite_dbt_model_rows", "gauge", "Rows that it has written into the model; of tables.",
           lambda status: _models(status, lambda model: model.rows), ("model",)),
    Metric("ecom_lite_dbt_model_tests_failed", "gauge", "Data tests of the model that failed in it, or could not be asked.",
           lambda status: _models(status, lambda model: model.tests_failed), ("model",)),
    Metric("ecom_lite_check_ok", "gauge",
           "1 when a check of your own has passed, 0 when it has failed or could not be run (`check.every_s`).",
           lambda status: _checks(status, lambda check: check.state == "pass"), ("check", "severity")),
    Metric("ecom_lite_check_timestamp_seconds", "gauge", "When a check of your own was last run.",
           lambda status: _checks(status, lambda check: _epoch(check.at)), ("check", "severity"), unit="seconds since 1970"),
    Metric("ecom_lite_alert_firing", "gauge", "1 while the alert fires ([alerts.md](alerts.md)).",
           lambda status: _by({name: alert.state == "firing" for name, alert in status.alerts.items()}), ("rule",)),
    Metric("ecom_lite_alert_unknown", "gauge", "1 while the alert cannot be judged: its question failed, or has no data.",
           lambda status: _by({name: bool(alert.problem) for name, alert in status.alerts.items()}), ("rule",)),
    Metric("ecom_lite_spark_batch_seconds", "gauge", "Spark's last micro-batch, from its trigger to its commit.",
           lambda status: _one(status.stream.batch_ms / 1000 if status.stream else None), unit="seconds"),
    Metric("ecom_lite_spark_phase_seconds", "gauge",
           "Spark's last micro-batches on average, by Spark's names for their phases; triggerExecution: all of them.",
           lambda status: _by({name: ms / 1000 for name, ms in status.stream.phases_ms.items()} if status.stream else {}),
           ("phase",), unit="seconds"),
    Metric("ecom_lite_spark_input_rows_per_second", "gauge", "Records that Spark's last micro-batches have read a second.",
           lambda status: _one(status.stream.rows_per_s if status.stream else None), unit="events per second"),
    Metric("ecom_lite_spark_state_rows", "gauge", "Shares of open minutes that Spark keeps from batch to batch: four a minute.",
           lambda status: _one(status.stream.state_rows if status.stream else None)),
    Metric("ecom_lite_spark_late_rows_total", "counter",
           "Order lines that Spark left out of the minutes since it started: older than the watermark, or ahead of the clock.",
           lambda status: _one(status.stream.late_rows if status.stream else None)),
    Metric("ecom_lite_spark_watermark_delay_seconds", "gauge", "How far Spark's watermark was behind the real time.",
           lambda status: _one(status.stream.watermark_lag_s if status.stream else None), unit="seconds"),
    Metric("ecom_lite_raw_archive_records_total", "counter", "Records that the raw archive has taken in since its process began.",
           lambda status: _archive(status, lambda raw: raw.records)),
    Metric("ecom_lite_raw_archive_lag_records", "gauge", "Records on the broker that are in no file of the raw archive yet.",
           lambda status: _archive(status, lambda raw: raw.lag)),
    Metric("ecom_lite_raw_archive_files", "gauge", "Files of the raw archive on the disk.",
           lambda status: _archive(status, lambda raw: raw.files_kept)),
    Metric("ecom_lite_raw_archive_bytes", "gauge", "Bytes of the raw archive on the disk.",
           lambda status: _archive(status, lambda raw: raw.bytes_kept), unit="bytes"),
    Metric("ecom_lite_lake_facts", "gauge", "Facts in the lake.",
           lambda status: _one(status.lake.facts if status.lake else None)),
    Metric("ecom_lite_lake_age_seconds", "gauge", "Since the newest pass of the lake's writer: what was loaded before is in it.",
           lambda status: _one(status.lake.age_s if status.lake else None), unit="seconds"),
    Metric("ecom_lite_lake_files", "gauge", "Parquet files of the lake's newest snapshot.",
           lambda status: _one(status.lake.files if status.lake else None)),
    Metric("ecom_lite_lake_bytes", "gauge", "Their size.",
           lambda status: _one(status.lake.bytes if status.lake else None), unit="bytes"),
    Metric("ecom_lite_resident_bytes", "gauge",
           "Memory by part that is a process of its own (on Linux its proportional share); run: the supervisor and its threads.",
           lambda status: _by(status.resident_bytes), ("part",), unit="bytes"),
    Metric("ecom_lite_disk_bytes", "gauge", "Disk by store of the data folder, measured once a minute.",
           lambda status: _by(status.disk_bytes), ("store",), unit="bytes"),
    Metric("ecom_lite_disk_free_bytes", "gauge", "Free on the fullest disk that the run writes to.",
           lambda status: _one(status.room.free_bytes if status.room.place else None), unit="bytes"),
    Metric("ecom_lite_disk_scarce", "gauge", "1 while the shop pauses for want of room on the disk, 2 while loaders wait, too.",
           lambda status: _one(STATES.index(status.room.state) if status.room.place else None)),
)  # fmt: skip
OF_LOADERS: Final = tuple(metric for metric in METRICS if metric.of_loaders)


class StatusCollector(Collector):
    """Reads all its metrics from one status, so that they are of one moment."""

    def __init__(self, status: Callable[[], RunStatus], metrics: Iterable[Metric] = METRICS) -> None:
        self._status = status
        self._metrics = tuple(metrics)

    def collect(self) -> Iterator[Family]:
        status = self._status()
        for metric in self._metrics:
            yield metric.family(status)


def registry(status: Callable[[], RunStatus], metrics: Iterable[Metric] = METRICS) -> CollectorRegistry:
    """For prometheus-client's own server. `status` is asked at each scrape, from any thread."""
    made = CollectorRegistry(auto_describe=False)
    made.register(StatusCollector(status, metrics))
    return made


def rendered(status: RunStatus) -> bytes:
    """All metrics of this moment in Prometheus' text format (MEDIA_TYPE)."""
    return generate_latest(registry(lambda: status))


HEAD: Final = """# Metrics

<!-- Made by `python -m ecom_lite.observe.metrics` from ecom_lite/observe/metrics.py. Do not edit by hand. -->

A run serves these at `/metrics` of its page, in Prometheus' text format; the figures are those of `ecom_lite status --json`,
which are taken once a second. `ecom_lite load` serves the ones marked with * at `http://127.0.0.1:PORT/metrics` where
`load.metrics_port` is set. What has no value yet is left out.

```
scrape_configs:
  - job_name: ecom_lite
    static_configs: [{targets: ["127.0.0.1:8100"]}]
```

`/health` answers 200 as long as the page's process lives; `/ready` answers 200 when every part is ready and well, else 503, with
`{"ready": false, "reasons": [{"part": "load", "detail": "silent for 7 s"}]}`.

| metric | type | unit | labels | what it is |
|---|---|---|---|---|
"""


def docs() -> str:
    """The text of docs/metrics.md."""
    rows = []
    for metric in METRICS:
        star = " *" if metric.of_loaders else ""
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        bounds = f" Buckets up to {', '.join(f'{bound:g}' for bound in metric.bounds_s)}." if metric.bounds_s else ""
        rows.append(f"| `{metric.name}`{star} | {metric.kind} | {metric.unit} | {labels} | {metric.help}{bounds} |\n")
    return HEAD + "".join(rows)


def main() -> int:
    """Write the file."""
    PAGE.write_text(docs(), "utf-8")
    sys.stderr.write(f"wrote {PAGE}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
