"""Java is found, and asked for its version out of the terminal's reach."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ecom_lite.engines.java import find_java, java_version


def test_a_ctrl_c_in_the_terminal_does_not_reach_the_programs_we_ask(tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        "own_session = os.getsid(0) == os.getpid()\n"
        "print(f'openjdk version \"{21 if own_session else 1}.0.1\"', file=sys.stderr)\n"
    )
    java.chmod(0o755)
    assert java_version(java)[0] == 21


def test_a_java_by_its_name_alone_is_the_one_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is started in another folder looks for it from there."""
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"21.0.1\"'\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert find_java("java") == java
