"""What a run says of itself survives its way through JSON, also to and from other versions."""

from __future__ import annotations

import json

import msgspec
import pytest

from ecom_lite.observe.figures import DbtFigures, InForce, LoaderFigures, ProducerFigures, StreamFigures, WorkerReport, together
from ecom_lite.observe.histogram import BATCH_BOUNDS_S, DELAY_BOUNDS_S, Buckets, Histogram
from ecom_lite.observe.status import Gap, OtherVersion, PartStatus, Reason, RunStatus, read_status

STATUS = RunStatus(
    state="running",
    rate="natural",
    facts=7,
    faults={"late": 0.05},
    load=LoaderFigures(facts=7, dead_reasons={"not_json": 2}, lags={"0": 3, "1": 4}, commit_delay=Buckets((1, 2), 0.5)),
    stream=StreamFigures(batch=3, rows_per_s=1.5, batch_ms=80),
    dbt=DbtFigures(run_id=1, trigger="schedule", status="success", seconds=0.5),
    gaps=[Gap(topic="t", partition=0, first=1, last=3, count=3, at="2026-11-23T07:00:00+00:00")],
    parts={"load": PartStatus(state="ready", ok=True), "kafka": PartStatus(state="restarting")},
)


def test_a_status_that_was_written_is_read_again() -> None:
    assert read_status(msgspec.json.encode(STATUS), RunStatus) == STATUS


def test_a_field_that_a_newer_version_has_added_is_ignored() -> None:
    document = {**json.loads(msgspec.json.encode(STATUS)), "mood": "good", "parts": {"load": {"ok": True, "mood": 1}}}
    found = read_status(json.dumps(document).encode(), RunStatus)
    assert found.facts == 7 and found.parts == {"load": PartStatus(ok=True)}


@pytest.mark.parametrize("version", [None, 0, 99])
def test_another_form_is_refused_in_words(version: int | None) -> None:
    document = {"state": "running", "parts": [], **({} if version is None else {"version": version})}
    with pytest.raises(OtherVersion, match=rf"another version of ecom_lite \(its form is {version or 0}, this one reads 1\)"):
        read_status(json.dumps(document).encode(), RunStatus)


def test_half_a_status_is_an_error_and_no_status() -> None:
    text = msgspec.json.encode(STATUS)
    for length in range(len(text)):
        with pytest.raises(msgspec.MsgspecError):
            read_status(text[:length], RunStatus)


def test_a_worker_s_report_has_the_figures_of_its_role() -> None:
    report = WorkerReport(figures=ProducerFigures(control=InForce(rate=5.0, held=3)), ready=True)
    assert msgspec.json.decode(msgspec.json.encode(report), type=WorkerReport[ProducerFigures]) == report


def test_what_keeps_a_run_from_being_ready_is_named() -> None:
    well = PartStatus(state="ready", ok=True)
    assert RunStatus(state="running", parts={"load": well}).not_ready() == []
    waiting = PartStatus(state="ready", detail="PostgreSQL is away")
    found = RunStatus(state="running", parts={"load": waiting, "kafka": PartStatus(state="restarting"), "page": well}).not_ready()
    assert found == [Reason("load", "PostgreSQL is away"), Reason("kafka", "restarting")]
    assert RunStatus(state="starting").not_ready() == [Reason("run", "starting")]


def test_loaders_together_are_sums_the_slowest_delay_and_what_each_waits_for() -> None:
    one = LoaderFigures(
        records=5, facts=4, dead=1, batches=2, dead_reasons={"not_json": 1}, delay_ms=90, lags={"0": 5}, partitions=1,
        commit_delay=Buckets((1, 2), 0.5),
    )  # fmt: skip
    two = LoaderFigures(records=7, facts=7, dead_reasons={"not_json": 2}, delay_ms=200, lags={"1": 7}, waiting_for="PostgreSQL")
    both = together([one, two, two])
    assert (both.records, both.facts, both.dead, both.batches, both.partitions) == (19, 18, 1, 2, 1)
    assert both.dead_reasons == {"not_json": 5} and both.delay_ms == 200 and both.lag == 19
    assert both.commit_delay == Buckets((1, 2), 0.5) and both.waiting_for == "PostgreSQL"
    assert together([]) == LoaderFigures() and not together([LoaderFigures(standing_by=True), LoaderFigures()]).standing_by


@pytest.mark.parametrize("bounds", [DELAY_BOUNDS_S, BATCH_BOUNDS_S])
def test_a_duration_is_counted_in_every_bucket_that_holds_it(bounds: tuple[float, ...]) -> None:
    assert list(bounds) == sorted(set(bounds))
    histogram = Histogram(bounds)
    histogram.observe(bounds[1])
    histogram.observe(bounds[-1] * 2)
    assert histogram.buckets() == Buckets((0, *(1 for _ in bounds[1:]), 2), bounds[1] + bounds[-1] * 2)
