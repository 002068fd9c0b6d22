"""What make says of how a run has ended."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).resolve().parents[2] / "Makefile"


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
@pytest.mark.parametrize(("code", "told"), [(0, 0), (130, 0), (143, 0), (1, 2), (2, 2)])
def test_to_be_stopped_is_no_failure_of_make_and_everything_else_is(code: int, told: int, tmp_path: Path) -> None:
    found = re.search(r"^run: .*\n(\t.*\n)", MAKEFILE.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    (tmp_path / "Makefile").write_text(f"PY = sh -c 'exit {code}'\nrun:\n{found[1]}", "utf-8")
    done = subprocess.run(["make", "run"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, f"Error {code}" in done.stderr) == (told, bool(told)), done.stderr
