"""A run on a broker of other people's code: what it loads is right, and what that broker tells wrongly is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.brokers import tansu
from tests.runs import LightRun


@pytest.mark.long
def test_all_is_loaded_once_and_the_wrong_end_of_a_partition_is_told(tmp_path: Path) -> None:
    with tansu.running(tansu.install(tmp_path / "installed"), tmp_path) as bootstrap:
        env = {"ECOM_LITE_KAFKA__BOOTSTRAP": bootstrap}
        run = LightRun(tmp_path / "data", "--events", "500", "--rate", "max", "--json", env=env)
        try:
            assert run.wait(180) == 1, run.stderr
            found = run.summary()
            assert found["facts"] + found["other"] == found["sent"] == 500
            assert (found["duplicates"], found["dead"], found["lost"], found["closes"]) == (0, 0, 0, False)
            told = [line for line in run.stderr.splitlines() if line.startswith("does not close: ")]
            assert [line.split(" = ")[0] for line in told] == ["does not close: broker's offsets"]
            again = LightRun(tmp_path / "data", "--events", "10", env=env)
            assert again.wait(180) == 1, again.stderr
            assert "the topic was made anew or the broker lost data" in again.stderr and "Traceback" not in again.stderr
        finally:
            run.close()
