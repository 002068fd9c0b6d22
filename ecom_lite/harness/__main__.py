"""`python -m ecom_lite.harness`: break loader, producer or the whole program on purpose, and recount every record."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import EcomLiteError
from ..machine.prepare import fetch_jars
from ..settings.load import load_settings
from ..terminal.terminal import Terminal
from .chain_session import ChainSession
from .kept import keep, read_kept
from .outcome import Outcome
from .report import Summary, markdown, round_line, table_lines, violation_lines
from .session import Player, Session, servers
from .targets import CHAIN, LOADER, PRODUCER, TARGETS

DEFAULT_ROUNDS = 20
MUTATION_ROUNDS = 50


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every strike happened and every account closed, 1 when not, 2 for wrong usage, 130 and 143 by signal."""
    wanted = _parse(arguments)
    if wanted.list:
        for target in TARGETS:
            print(f"The {target.name}:" if target is LOADER else f"The {target.name} (--{target.name}):")
            for kind in target.kinds:
                print(f"  {kind.name:<22}{kind.about}  (at: {', '.join(kind.points)})")
        return 0
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        fetch_jars(load_settings(env={}), Terminal(), ["kafka", "spark"] if wanted.target is CHAIN else ["kafka"])
        with ExitStack() as stack:
            session = _opened(wanted, stack)
            stack.callback(session.close)
            if wanted.mutations or wanted.mutate:
                return _mutations(session, wanted)
            return _rounds(session, wanted)
    except (KeyboardInterrupt, RuntimeError) as error:
        if isinstance(error.__cause__, SystemExit):
            return 143  # so does DuckDB hand that on
        if not isinstance(error, KeyboardInterrupt) and not isinstance(error.__cause__, KeyboardInterrupt):
            raise  # else that is how DuckDB hands a Ctrl-C on
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _say("stopped")
        return 130
    except EcomLiteError as error:
        _say(f"error: {error}")
        return error.exit_code


def _opened(wanted: argparse.Namespace, stack: ExitStack) -> Player:
    if wanted.target is CHAIN:
        return ChainSession(wanted.seed, wanted.only)
    return Session(stack.enter_context(servers()), wanted.seed, wanted.only, wanted.target)


def _rounds(session: Player, wanted: argparse.Namespace) -> int:
    summary, began = Summary(wanted.seed, _command(wanted)), time.monotonic()
    numbers = _numbers(wanted)
    for number in numbers:
        outcome = session.play(number)
        if number == numbers[-1]:
            outcome.violations += session.end_leg()
        summary.outcomes.append(outcome)
        _tell(outcome, wanted)
        if wanted.keep:
            keep(wanted.keep, wanted.seed, outcome)
    summary.seconds = time.monotonic() - began
    if wanted.keep:
        summary.outcomes = read_kept(wanted.keep, wanted.seed)
        summary.seconds = sum(outcome.seconds for outcome in summary.outcomes)
    for line in table_lines(summary.scenarios(), summary.totals()):
        _say(line)
    if summary.forms:
        _say(f"foreign records: {summary.said_forms}")
    if summary.heir:
        _say(summary.heir)
    verdict = "nothing was lost, nothing counted twice" if summary.ok else "NOT PROVEN: see above"
    played = len(summary.outcomes)
    _say(f"{played} round{'' if played == 1 else 's'} in {summary.seconds:.0f} s, seed {wanted.seed}: {verdict}")
    if wanted.report:
        wanted.report.write_text(markdown(summary, session.versions()), "utf-8")
    if wanted.json:
        print(json.dumps(summary.as_json()))
    return 0 if summary.ok else 1


def _numbers(wanted: argparse.Namespace) -> Sequence[int]:
    return [wanted.round] if wanted.round else range(wanted.first, wanted.first + wanted.rounds)


def _mutations(session: Player, wanted: argparse.Namespace) -> int:
    """With --mutate a caught mutation is a violation like any other: exit code 1. With --mutations all must be caught."""
    caught: dict[str, Any] = {}
    for mutation in wanted.target.mutations if wanted.mutations else [wanted.mutate]:
        _say(f"mutation {mutation}")
        outcome = session.until_caught(mutation, _numbers(wanted), partial(_tell, wanted=wanted, mutation=mutation))
        caught[mutation] = None if outcome is None else outcome.plan.number
        said = f"NOT caught in {len(_numbers(wanted))} rounds" if outcome is None else f"caught in round {outcome.plan.number}"
        _say(f"{mutation}: {said}")
    if wanted.json:
        print(json.dumps({"seed": wanted.seed, "caught": caught}))
    all_caught = None not in caught.values()
    return int(not all_caught if wanted.mutations else all_caught)


def _tell(outcome: Outcome, wanted: argparse.Namespace, mutation: str | None = None) -> None:
    _say(round_line(outcome))
    if outcome.violations:
        only = "".join(f" --only {name}" for name in wanted.only)
        mutate = f" --mutate {mutation}" if mutation else ""
        target = "" if wanted.target is LOADER else f" --{wanted.target.name}"
        again = f"python -m ecom_lite.harness{target} --seed {wanted.seed} --round {outcome.plan.number}{only}{mutate}"
        for line in violation_lines(outcome, again):
            _say(line)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _command(wanted: argparse.Namespace) -> str:
    return " ".join(["python -m ecom_lite.harness", *wanted.given])


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m ecom_lite.harness",
        description="Break the loader, the shop's producer, or any part of the whole program, on purpose, on servers of its own,"
        " and count what became of every record.",
    )
    target = parser.add_mutually_exclusive_group()
    target.add_argument("--producer", action="store_true", help="break the shop's producer, not the loader")
    target.add_argument("--chain", action="store_true", help="break any part of a whole run, not the loader alone")
    parser.add_argument("--rounds", type=_positive, help=f"how many (default {DEFAULT_ROUNDS}; {MUTATION_ROUNDS} for a mutation)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed plays the same rounds (default 1)")
    parser.add_argument("--round", type=_positive, metavar="R", help="play round R of the seed alone")
    parser.add_argument("--from", type=_positive, default=1, metavar="R", dest="first", help="begin with round R (default 1)")
    only = "only this scenario; may be repeated"
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help=only)
    parser.add_argument("--list", action="store_true", help="the scenarios, and the points where they strike")
    ways = "; ".join(f"of the {target.name}: {', '.join(target.mutations)}" for target in TARGETS)
    mutate = f"break it in one way first, exit code 1 when that is caught: {ways}"
    parser.add_argument("--mutate", metavar="NAME", help=mutate)
    parser.add_argument("--mutations", action="store_true", help="each of them in turn: exit code 0 when all are caught")
    parser.add_argument("--json", action="store_true", help="a summary for programs on stdout")
    parser.add_argument("--keep", type=Path, metavar="FILE.jsonl", help="add each round to FILE, and tell of all that are in it")
    parser.add_argument("--report", type=Path, metavar="FILE.md", help="write a section for docs/benchmarks.md")
    wanted = parser.parse_args(arguments)
    wanted.target = PRODUCER if wanted.producer else CHAIN if wanted.chain else LOADER
    for option, names, known in (
        ("--only", wanted.only, wanted.target.names),
        ("--mutate", [wanted.mutate] if wanted.mutate else [], wanted.target.mutations),
    ):
        for name in names:
            if name not in known:
                parser.error(f"argument {option}: {name!r} is none of the {wanted.target.name}'s: {', '.join(known)}")
    if wanted.mutate and wanted.mutations:
        parser.error("--mutate names one mutation, --mutations are all of them: give one of the two")
    if wanted.report and not wanted.report.parent.is_dir():
        parser.error(f"argument --report: {wanted.report.parent} is no folder")  # and not after all rounds
    wanted.given = list(sys.argv[1:] if arguments is None else arguments)
    wanted.rounds = wanted.rounds or (MUTATION_ROUNDS if wanted.mutate or wanted.mutations else DEFAULT_ROUNDS)
    return wanted


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
