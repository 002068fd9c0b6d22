"""The wall clock of a whole run, which jumps when it is told to: a small library, compiled here, that all its processes load."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ..engines.scratch import Scratch

COMPILERS: Final = ("cc", "gcc", "clang")
COMPILE_S: Final = 60.0
VARIABLE: Final = "ECOM_LITE_HARNESS_CLOCK"  # clock.c reads it
SECOND_NS: Final = 10**9


class WallClock:
    """`environment` is what a process is given that shall live by it. `refused` says why there is none on this machine."""

    def __init__(self) -> None:
        self._scratch = Scratch("clock")
        self._scratch.path.chmod(0o711)  # PostgreSQL's processes are somebody else's where we are root
        self._offset = self._scratch.path / "offset"
        self._library = self._scratch.path / "clock.so"
        self._offset.write_bytes(struct.pack("q", 0))
        self.seconds = 0
        self.refused = self._compile()

    def _compile(self) -> str:
        compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
        if compiler is None:
            return "no C compiler"
        source = Path(__file__).with_name("clock.c")
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(self._library), str(source), "-ldl", "-lpthread"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["the compiler failed"])[-1]

    @property
    def environment(self) -> Mapping[str, str]:
        return {} if self.refused else {"LD_PRELOAD": str(self._library), VARIABLE: str(self._offset)}

    def jump(self, seconds: int) -> None:
        """From now on it is so many seconds later, for all of them at once."""
        self.seconds += seconds
        with self._offset.open("r+b") as file, mmap.mmap(file.fileno(), 8) as page:
            page[:8] = struct.pack("q", self.seconds * SECOND_NS)

    def close(self) -> None:
        self._scratch.remove()
