"""The text of docs/verbs.md, from the application that parses the command line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from typer.main import get_command

from ecom_lite.cli import verbs

HEAD: Final = """# Verbs

<!-- Made by `python -m tests.unit.reference` from the verbs of ecom_lite/cli. Do not edit by hand. -->

`ecom_lite VERB --help` says the same. A verb works on the data folder and the settings of the folder you are in, or on those
that `--data-dir` and `--config` name. Data goes to stdout, talk to stderr. Exit codes: 0 done, 1 failed or unhealthy, 2 wrong
usage or settings, 130 and 143 by signal.
"""
OPTIONS: Final = "| option | what it does |\n|---|---|\n"
EXAMPLES: Final = "\b"  # a paragraph that begins so is not filled: lines to type


def commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each verb that can be typed, by its words, in the alphabet's order."""

    def walk(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
        below = getattr(command, "commands", None) or {}
        if not below or command.invoke_without_command:
            yield words, command
        for name in sorted(below):
            yield from walk((*words, name), below[name])

    application = get_command(verbs())
    for name in sorted(application.commands):  # type: ignore[attr-defined]
        yield from walk((name,), application.commands[name])  # type: ignore[attr-defined]


def render() -> str:
    """The whole page."""
    return "".join([HEAD, *(_verb(words, command) for words, command in commands())])


def _verb(words: tuple[str, ...], command: Any) -> str:
    name = " ".join(words)
    with command.make_context(f"ecom_lite {name}", [], resilient_parsing=True) as context:
        usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
        records = [one.get_help_record(context) for one in command.params]
    rows = "".join(f"| `{_cell(option)}` | {_cell(_words(text))} |\n" for option, text in filter(None, records))
    options = f"\n\n{OPTIONS}{rows}" if rows else "\n"
    return f"\n## {name}\n\n```text\n{usage}\n```\n\n{_help(command.help or '')}{options}"


def _help(text: str) -> str:
    shown = []
    for paragraph in text.split("\n\n"):
        lines = paragraph.strip("\n").split("\n")
        if lines[0].strip() == EXAMPLES:
            commands = any("ecom_lite " in line for line in lines[1:])
            shown.append("\n".join([f"```{'sh' if commands else 'text'}", *(_commented(line) for line in lines[1:]), "```"]))
        else:
            shown.append(" ".join(line.strip() for line in lines))
    return "\n\n".join(shown)


def _commented(line: str) -> str:
    """What stands behind a wide gap explains the command: for a shell a comment."""
    return re.sub(r"^(ecom_lite .*?\S {3,})(\S)", r"\1# \2", line)


def _words(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
