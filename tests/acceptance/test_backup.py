"""`backup` and `restore`: a copy in another folder, with a cluster of its own, has the same fingerprint, and goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ecom_lite.settings.data_dir import LOGS
from tests.runs import LightRun

FAULTS = {"ECOM_LITE_FAULTS__LATE": "0.05", "ECOM_LITE_FAULTS__LATE_S": "1", "ECOM_LITE_FAULTS__MALFORMED": "0.05"}


class SparkRun(LightRun):
    light: Sequence[str] = ()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", [LightRun, pytest.param(SparkRun, marks=pytest.mark.long)])
def test_a_copy_in_another_folder_is_the_same_and_goes_on_by_itself(tmp_path: Path, kind: type[LightRun]) -> None:
    runs: list[LightRun] = []
    try:
        first = kind(tmp_path / "first", "--events", "3000", "--rate", "max", "--json", env=FAULTS)
        runs.append(first)
        assert first.wait() == 0, first.stderr
        fingerprint = first.verb("check", "--fingerprint").stdout
        file = str(tmp_path / "shop.tar.gz")
        made = first.verb("backup", file)
        assert made.returncode == 0, made.stderr

        restored = first.verb("restore", file)
        assert restored.returncode == 2 and "holds data" in restored.stderr
        copy = tmp_path / "copy"
        (tmp_path / "first").rename(tmp_path / "hidden")  # a copy that still looks there is found out
        first.data_dir = copy
        restored = first.verb("restore", file)
        assert restored.returncode == 0, restored.stderr
        assert not (copy / LOGS).exists()
        checked = first.verb("check")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert first.verb("check", "--fingerprint").stdout == fingerprint != ""

        second = kind(copy, "--events", "4000", "--rate", "max", "--json", env=FAULTS)
        runs.append(second)
        assert second.wait() == 0, second.stderr
        assert second.summary()["closes"] and second.summary()["sent"] > first.summary()["sent"]
        checked = second.verb("check")
        assert checked.returncode == 0, checked.stdout + checked.stderr
    finally:
        for run in runs:
            run.close()
        if (tmp_path / "hidden").exists():
            first.data_dir = tmp_path / "hidden"
            first.close()
