"""The commands of the docs, run as a reader runs them: in one folder, beside one light run, in the order of the pages.

What a newcomer reads is run by `make test`, all other pages by `make test-long`; tests/unit/test_doc_lines.py sees that no line
of any page is forgotten.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from kafka import KafkaProducer

from tests.acceptance import doc_frame as frame
from tests.doc_lines import FIRST, ROOT, Line, all_lines
from tests.runs import LightRun, wait_for
from tests.terminals import Typed

LINE_S = 180
BUILT = ("success", "selected")  # the second is what the newest run of dbt is after `refresh --select`
SLOW_S = 150  # of a machine that does something else, too
PLACES = {"examples/README.md": "web_orders"}  # where a page's reader stands, if not in the folder of the run
DUCKDB = """#!{python}
import sys, duckdb
assert sys.argv[1] == "-c"
print(duckdb.sql(sys.argv[2]))
"""

pytestmark = pytest.mark.timeout(600)


def to_run() -> list[Line]:
    """Without those that are not run; at the end what ends the run."""
    lines = [line for line in all_lines() if not any(re.fullmatch(pattern, line.text) for pattern in frame.NOT_HERE)]
    ends = [line for text in frame.AT_THE_END for line in lines if line.text == text]
    return [*(line for line in lines if line not in ends and not line.text.startswith("cd ")), *ends]


class Reader:
    """Somebody with a terminal in the folder of a run."""

    def __init__(self, folder: Path, run: LightRun) -> None:
        self.folder, self.run = folder, run
        programs = folder / "bin"
        self._program(programs / "ecom_lite", f'#!/bin/sh\nexec "{sys.executable}" -m ecom_lite "$@"\n')
        self._program(programs / "duckdb", DUCKDB.format(python=sys.executable))  # the library, by its program's options
        self.env = {**run.env, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        self._letters: dict[str, str] = {}
        for name, text in frame.FILES.items():
            (folder / name).write_text(text, "utf-8")
        for example in PLACES.values():
            shutil.copytree(ROOT / "examples" / example, folder / example)

    @staticmethod
    def _program(file: Path, text: str) -> None:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
        file.chmod(0o755)

    def letter(self, page: str) -> str:
        """Where a dead letter is that this page may do with what it likes."""
        if page not in self._letters:
            producer = KafkaProducer(bootstrap_servers=self.run.state["bootstrap"])
            try:
                broken = (frame.ORDER % (page, "yesterday")).encode()
                sent = producer.send("ecommerce_events", broken, key=b"42").get(SLOW_S)
            finally:
                producer.close()
            where = self._letters[page] = f"{sent.partition}:{sent.offset}"
            wait_for(lambda: self.run.verb("dead", "show", where).returncode == 0, "the dead letter", SLOW_S)
        return self._letters[page]

    def typed(self, line: Line) -> str:
        """The line with this folder's own values where the page has some that stand for them."""
        text = line.text
        for words, instead in frame.INSTEAD.items():
            text = text.replace(words, instead)
        if frame.LETTER in text:
            text = text.replace(frame.LETTER, self.letter(line.page))
        if "marts." in text:
            wait_for(lambda: (self.run.state["dbt"] or {}).get("status") in BUILT, "the marts are there", SLOW_S)
        if line.text == frame.MORE_TO_PURGE:
            self._letters.pop(line.page, None)
            self.letter(line.page)
        if frame.DAY in text or frame.ARCHIVE in text:
            raw = self.folder / ".ecom_lite" / "lake" / "raw"
            files = wait_for(lambda: sorted(raw.glob("date=*/*.parquet")), "the archive's first file", SLOW_S)
            text = text.replace(frame.DAY, files[-1].parent.name)  # today's may not be there yet, right after midnight
        if "lake." in text:
            wait_for(lambda: (self.run.state["lake"] or {}).get("passes"), "the lake's first pass", SLOW_S)
        for name in frame.MENDED:
            if f"--value {name}" in text:
                (self.folder / name).write_text(frame.ORDER % (name, frame.WHEN))
        return text

    def follow(self, line: Line) -> None:
        """Type it, and see that it ends as it should."""
        text, place = self.typed(line), self.folder / PLACES.get(line.page, line.folder)
        if line.text in frame.UNTIL_CTRL_C:
            self._interrupted(text, place)
        elif line.text in frame.ON_A_TERMINAL:
            asked, answer = frame.ON_A_TERMINAL[line.text]
            with Typed(["bash", "-c", f"cd '{place}' && exec {text}"], self.env) as terminal:
                terminal.until(asked)
                terminal.type(f"{answer}\r")
                assert terminal.exit_code() == 0
        elif line.text in frame.WHEN_WELL:
            wait_for(lambda: self.types(text, place, codes=(0, 1)) == 0, lambda: f"{text}: {self.run.state['parts']}", SLOW_S)
        else:
            self.types(text, place, frame.TYPED_IN.get(line.text, ""), frame.ANSWERS.get(line.text, (0,)))

    def types(self, text: str, place: Path, answer: str = "", codes: Sequence[int] = (0,)) -> int:
        said = subprocess.run(
            ["bash", "-o", "pipefail", "-c", text],
            cwd=place, env=self.env, input=answer, capture_output=True, text=True, timeout=LINE_S,
        )  # fmt: skip
        assert said.returncode in codes, f"{text}\n{said.stdout[-3000:]}{said.stderr[-3000:]}"
        assert "Traceback" not in said.stderr, said.stderr
        return said.returncode

    def _interrupted(self, text: str, place: Path) -> None:
        """What goes on until Ctrl-C: its first line, then that."""
        with subprocess.Popen(["bash", "-c", f"exec {text}"], cwd=place, env=self.env, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            try:
                assert process.stdout.readline()
                process.send_signal(signal.SIGINT)
                assert process.wait(LINE_S) == 128 + signal.SIGINT
            finally:
                process.kill()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("reader")
    run = LightRun(folder / ".ecom_lite", *frame.STARTED.removeprefix("ecom_lite run --light ").split())
    try:
        run.wait_state("running", SLOW_S)
        yield Reader(folder, run)
    finally:
        run.close()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(line, id=f"{line.page}: {line.text[:70]}", marks=() if line.page in FIRST else pytest.mark.long)
        for line in to_run()
    ],
)
def test_a_line_does_what_its_page_says(reader: Reader, line: Line) -> None:
    if line.text == frame.AT_THE_END[0]:
        reader.run.note_processes()
    try:
        reader.follow(line)
    finally:
        if line.text in frame.AFTERWARDS:
            reader.types(frame.AFTERWARDS[line.text], reader.folder)
