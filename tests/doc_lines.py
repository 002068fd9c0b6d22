"""The command lines that the docs show: found, and parsed as the program would parse them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from typer.main import get_command

from ecom_lite.cli import verbs

ROOT: Final = Path(__file__).resolve().parents[1]
FIRST: Final = ("README.md", "docs/index.md", "docs/tour.md")  # what a newcomer reads
SHELLS: Final = ("sh", "bash", "console")
FENCE: Final = re.compile(r"(?ms)^```(?P<language>\w*)\n(?P<text>.*?)^```$")
IN_A_TABLE: Final = re.compile(r"(?m)^\|(?P<cell>(?:[^|`]|`[^`]*`)*)\|")
COMMAND: Final = re.compile(r"(?:\$ )?(?:\.venv/bin/)?ecom_lite (?P<verb>[a-z]+)")
ASSIGNED: Final = re.compile(r"[A-Z_]+=")


class Line(NamedTuple):
    """One command of a page. `folder`: where the block has gone by `cd` before it."""

    page: str
    text: str
    folder: str = "."


@cache
def application() -> Any:
    return get_command(verbs())


def pages() -> list[str]:
    """All that people read, what is read first in front."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    names = sorted(str(page.relative_to(ROOT)) for page in found if page.name != "CHANGELOG.md")
    return [*FIRST, *(name for name in names if name not in FIRST)]


def all_lines() -> list[Line]:
    """Every command of the docs, once for each folder that it is given in, in the order of the pages."""
    seen: dict[tuple[str, str], Line] = {}
    for page in pages():
        for line in lines_of(page, (ROOT / page).read_text("utf-8")):
            seen.setdefault((line.text, line.folder), line)
    return list(seen.values())


def lines_of(page: str, markdown: str) -> Iterator[Line]:
    """The commands of a page: lines of its shell blocks, and of its tables what is code in the first column."""
    found: list[tuple[int, Line]] = []
    for block in FENCE.finditer(markdown):
        if block["language"] in SHELLS:
            folder = "."
            for text in commands(block["text"]):
                found.append((block.start(), Line(page, text, folder)))
                if text.startswith("cd "):
                    folder = text.removeprefix("cd ")
    for cell in IN_A_TABLE.finditer(FENCE.sub(lambda block: " " * len(block[0]), markdown)):
        for text in re.findall(r"`([^`]+)`", cell["cell"]):
            if COMMAND.match(text):
                found.append((cell.start(), Line(page, plain(text))))
    yield from (line for _, line in sorted(found, key=lambda one: one[0]))


def commands(block: str) -> Iterator[str]:
    """The lines of a block without comments, those that go on behind a backslash as one."""
    for line in block.replace("\\\n", " ").splitlines():
        if text := plain(line):
            yield text


def plain(line: str) -> str:
    """One command, without the comment behind it and without `.venv/bin/`, which an installation has on its path."""
    text = re.sub(r"\s+# .*$|^#.*$", "", line).removeprefix("$ ").strip()
    return re.sub(r"\.venv/bin/", "", re.sub(r" {2,}", " ", text))


def not_marked(markdown: str) -> list[str]:
    """Commands in blocks that do not say that they are a shell's."""
    known = application().commands
    found = [block["text"] for block in FENCE.finditer(markdown) if block["language"] in ("",)]
    return [line for text in found for line in text.splitlines() if (m := COMMAND.match(line)) and m["verb"] in known]


def parse(text: str) -> None:
    """Let the program's own parser take what stands behind each `ecom_lite` of a line. Raises what it raises."""
    for command in re.findall(r"(?:^|[ (|])(ecom_lite(?: [^|&]*)?)", re.sub(r"<\s*\w[\w.]*|\d?>\s*[\w.]+", "", text)):
        words = shlex.split(command.partition(")")[0] if "$(" in text else command)[1:]
        while words and ASSIGNED.match(words[0]):
            words.pop(0)
        parse_words(words)


def parse_words(words: list[str]) -> None:
    """Raises the parser's usage error; LookupError for a verb that there is not."""
    command, path = application(), "ecom_lite"
    while words and getattr(command, "commands", None):
        name, *words = words
        path = f"{path} {name}"
        if name not in command.commands:
            raise LookupError(f"there is no verb {path!r}")
        command = command.commands[name]
    if not getattr(command, "commands", None):
        try:
            command.make_context(path, list(words)).close()
        except Exception as error:
            if "does not exist" not in str(error):  # a file that a page only names
                raise
