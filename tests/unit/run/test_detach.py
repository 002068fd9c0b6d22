"""A run in the background is this program, wherever it was begun."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.errors import EcomLiteError
from ecom_lite.run.detach import run_detached
from ecom_lite.settings.load import load_settings


def test_it_takes_no_module_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[tuple[list[str], str]] = []

    def begin(command: list[str], **options: Any) -> None:
        begun.append((command, options["env"]["PYTHONPATH"]))
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "Popen", begin)
    with pytest.raises(EcomLiteError, match="Cannot allocate memory"):
        run_detached(load_settings(env={}, flags={"run.data_dir": tmp_path}), ["run", "--light"])
    ((command, path),) = begun
    assert command == [sys.executable, "-P", "-m", "ecom_lite", "run", "--light"]
    assert (Path(path.split(":")[0]) / "ecom_lite" / "__main__.py").is_file()
