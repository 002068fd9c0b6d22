"""`ecom_lite rebuild`: after a run with all faults, the raw archive alone makes a second warehouse with the same fingerprint."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from ecom_lite.archive.names import listed, raw_folder
from tests.runs import LightRun

FAULTS = {
    "ECOM_LITE_FAULTS__LATE": "0.05", "ECOM_LITE_FAULTS__LATE_S": "2", "ECOM_LITE_FAULTS__DUPLICATE": "0.05",
    "ECOM_LITE_FAULTS__OUT_OF_ORDER": "0.05", "ECOM_LITE_FAULTS__MALFORMED": "0.05",
}  # fmt: skip
SUMS = ("facts", "duplicates", "other", "dead")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LightRun]:
    """A run that has ended; its Kafka is gone."""
    run = LightRun(
        tmp_path_factory.mktemp("rebuild") / "data", "--events", "4000", "--rate", "max", "--json", env=FAULTS
    )  # fmt: skip
    try:
        assert run.wait() == 0, run.stderr
        shutil.rmtree(run.data_dir / "kafka")
        yield run
    finally:
        run.close()


def again(run: LightRun, *arguments: str, database: str = "again") -> subprocess.CompletedProcess[str]:
    run.env["ECOM_LITE_POSTGRES__DATABASE"] = database
    try:
        return run.verb(*arguments)
    finally:
        del run.env["ECOM_LITE_POSTGRES__DATABASE"]


def test_the_archive_alone_makes_the_same_warehouse(run: LightRun) -> None:
    summary = run.summary()
    first = run.verb("check", "--fingerprint")
    made = again(run, "rebuild", "--json")
    assert made.returncode == 0, made.stderr
    rebuilt = json.loads(made.stdout)
    assert rebuilt["missing"] == [] and rebuilt["records"] == summary["sent"], (rebuilt, summary)
    assert {name: rebuilt[name] for name in SUMS} == {name: summary[name] for name in SUMS} and rebuilt["dead"] > 0
    second = again(run, "check", "--fingerprint")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert first.stdout == second.stdout == f"{rebuilt['fingerprint']}\n"
    refused = again(run, "rebuild")
    assert refused.returncode == 2 and "only an empty one is rebuilt" in refused.stderr


def test_offsets_that_are_missing_are_named(run: LightRun) -> None:
    gone = listed(raw_folder(run.data_dir / "lake"))[0]
    shutil.move(gone.path, run.data_dir / "kept")
    try:
        refused = again(run, "rebuild", database="other")
        assert refused.returncode == 1
        assert f"the archive lacks the offsets {gone.label}[{gone.partition}] {gone.first} .. {gone.end - 1}" in refused.stderr
    finally:
        shutil.move(run.data_dir / "kept", gone.path)
    shutil.move(raw_folder(run.data_dir / "lake"), run.data_dir / "kept")
    nothing = again(run, "rebuild", database="other")
    assert nothing.returncode == 2 and "has no records of ecommerce_events" in nothing.stderr
