"""Java is found, and asked for its version out of the terminal's reach."""

from __future__ import annotations

import sys
from pathlib import Path

from ecom_lite.engines.java import java_version


def test_a_ctrl_c_in_the_terminal_does_not_reach_the_programs_we_ask(tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        "own_session = os.getsid(0) == os.getpid()\n"
        "print(f'openjdk version \"{21 if own_session else 1}.0.1\"', file=sys.stderr)\n"
    )
    java.chmod(0o755)
    assert java_version(java)[0] == 21
