"""A program is asked again when Ctrl-C ended it before it had a session of its own; any other end is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.engines.ask import ask
from ecom_lite.errors import EngineError
from tests.runs import DEADLINE_S


def program(folder: Path, text: str) -> Path:
    file = folder / "program"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def test_one_that_is_interrupted_is_asked_again(tmp_path: Path) -> None:
    once = f"if mkdir '{tmp_path}/seen' 2>/dev/null; then kill -INT $$; fi"
    assert ask([program(tmp_path, f"{once}\necho fine"), "--version"], DEADLINE_S) == ("fine\n", "")


def test_one_that_never_answers_is_told_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"program does not run: .*SIGINT"):
        ask([program(tmp_path, "kill -INT $$")], DEADLINE_S)
    with pytest.raises(EngineError, match=r"program does not run: .*exit status 3"):
        ask([program(tmp_path, "exit 3")], DEADLINE_S)
    with pytest.raises(EngineError, match="does not run"):
        ask([tmp_path / "nothing"], DEADLINE_S)
