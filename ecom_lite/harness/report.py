"""What a run of the tool says: a line a round, a table at the end, the summary for programs, the page for docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

from .chain_plan import CHAIN_NAMES, MODES
from .outcome import Outcome
from .plan import NAMES
from .producer_plan import PRODUCER_NAMES
from .shapes import FORMS

COLUMNS: Final = ("scenario", "rounds", "strikes", "restarts", "records", "violations")


@dataclass
class Summary:
    """All rounds of a run."""

    seed: int
    command: str
    outcomes: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Every round struck, and none of them found a difference."""
        return bool(self.outcomes) and all(outcome.ok for outcome in self.outcomes)

    def scenarios(self) -> dict[str, dict[str, int]]:
        """Counts per scenario; a round of two counts for both."""
        table: dict[str, dict[str, int]] = {}
        for outcome in self.outcomes:
            for name in dict.fromkeys(outcome.plan.scenarios.split("+")):
                row = table.setdefault(name, dict.fromkeys(COLUMNS[1:], 0))
                row["rounds"] += 1
                row["strikes"] += outcome.struck
                row["restarts"] += outcome.restarts
                row["records"] += outcome.records
                row["violations"] += len(outcome.violations)
        return {name: table[name] for name in (*NAMES, *PRODUCER_NAMES, *CHAIN_NAMES) if name in table}

    def totals(self) -> dict[str, int]:
        outcomes = self.outcomes
        return {
            "rounds": len(outcomes),
            "strikes": sum(outcome.struck for outcome in outcomes),
            "restarts": sum(outcome.restarts for outcome in outcomes),
            "records": sum(outcome.records for outcome in outcomes),
            "violations": sum(len(outcome.violations) for outcome in outcomes),
        }

    @property
    def forms(self) -> dict[str, int]:
        """How many rounds had foreign records of each form."""
        return self._counted(FORMS)

    @property
    def modes(self) -> dict[str, int]:
        """How many rounds of the whole chain were without Spark, and with it."""
        return self._counted(MODES)

    def _counted(self, forms: Sequence[str]) -> dict[str, int]:
        counts = Counter(outcome.plan.form for outcome in self.outcomes)
        return {form: counts[form] for form in forms if form in counts}

    @property
    def said_forms(self) -> str:
        return ", ".join(f"{form} in {rounds} round{'' if rounds == 1 else 's'}" for form, rounds in self.forms.items())

    @property
    def heir(self) -> str:
        """How soon partitions of loaders that never came back were another's: a sentence, or "" where none was played."""
        seconds = sorted(outcome.inherited_s for outcome in self.outcomes if outcome.inherited_s is not None)
        if not seconds:
            return ""
        return f"a loader that never comes back: its heir has the partitions within {seconds[-1]:.1f} s (worst of {len(seconds)})"

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok, "seed": self.seed, **self.totals(), "seconds": round(self.seconds, 1),
            "missed": [outcome.plan.number for outcome in self.outcomes if not outcome.struck and not outcome.violations],
            "heir_s": max((o.inherited_s for o in self.outcomes if o.inherited_s is not None), default=None),
            "scenarios": self.scenarios(), "forms": self.forms, "modes": self.modes,
            "notes": sorted({note for outcome in self.outcomes for note in outcome.notes}),
            "found": [as_json(outcome) for outcome in self.outcomes if outcome.violations],
        }  # fmt: skip


def as_json(outcome: Outcome) -> dict[str, Any]:
    """A round that found something."""
    found = [{"check": v.check, "expected": v.expected, "found": v.found} for v in outcome.violations]
    return {"round": outcome.plan.number, "scenario": outcome.plan.scenarios, "violations": found}


def round_line(outcome: Outcome) -> str:
    """One round on one line."""
    plan = outcome.plan
    word = "VIOLATION" if outcome.violations else "ok" if outcome.struck else "NOT STRUCK"
    where = ", ".join(map(str, plan.phases))
    notes = "".join(f"  ({note})" for note in outcome.notes)
    did = f"{plan.number:>4}  {plan.scenarios:<28} {where:<22} {plan.form:<9}"
    return f"{did} {outcome.records:>6,} records {outcome.seconds:>5.1f} s  {word}{notes}"


def violation_lines(outcome: Outcome, command: str) -> Iterable[str]:
    """What was expected, what was found, and how to see it again."""
    for violation in outcome.violations:
        yield f"      {violation.check}"
        yield f"        expected  {violation.expected}"
        yield f"        found     {violation.found}"
        yield from (f"        | {line}" for line in violation.log.splitlines())
    yield f"      again: {command}"


def table_lines(rows: Mapping[str, Mapping[str, int]], totals: Mapping[str, int]) -> list[str]:
    """The summary as plain columns."""
    cells = [list(COLUMNS)]
    cells += [[name, *(f"{row[column]:,}" for column in COLUMNS[1:])] for name, row in [*rows.items(), ("all", totals)]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(COLUMNS))]
    first, *others = widths
    return ["  ".join([row[0].ljust(first), *(c.rjust(w) for c, w in zip(row[1:], others, strict=True))]) for row in cells]


def markdown(summary: Summary, servers: Sequence[str]) -> str:
    """A section for docs/benchmarks.md."""
    totals = summary.totals()
    missed = [outcome.plan for outcome in summary.outcomes if not outcome.struck and not outcome.violations]
    said = f"{totals['violations']} differences, {len(missed)} that did not strike: SEE BELOW"
    if summary.ok:
        said = "every one struck, no difference"
    lines = [
        f"## Faults, {datetime.now(UTC):%Y-%m-%d}: {totals['rounds']} rounds, {said}",
        "",
        f"`{summary.command}`, seed {summary.seed}, {summary.seconds:,.0f} s on {os.cpu_count()} cores ({platform.machine()}, "
        f"{platform.system()} {platform.release()}). ecom_lite {version('ecom-lite')}, Python {platform.python_version()}, "
        f"{', '.join(servers)}.",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|---" + "|---:" * (len(COLUMNS) - 1) + "|",
    ]
    for name, row in [*summary.scenarios().items(), ("**all**", totals)]:
        lines.append(f"| {name} | " + " | ".join(f"{row[column]:,}" for column in COLUMNS[1:]) + " |")
    lines += ["", f"{summary.heir[:1].upper()}{summary.heir[1:]}."] if summary.heir else []
    lines += ["", "A round of two scenarios counts for both; the last line counts each round once."]
    if summary.forms:
        lines[-1] += f" Foreign records: {summary.said_forms}."
    if summary.modes:
        lines[-1] += " " + ", ".join(f"{form}: {rounds} rounds" for form, rounds in summary.modes.items()) + "."
    for outcome in summary.outcomes:
        for violation in outcome.violations:
            lines.append(f"- round {outcome.plan.number} ({outcome.plan.scenarios}): {violation}")
    lines += [f"- round {plan.number} ({plan.scenarios}): its strike did not happen" for plan in missed]
    return "\n".join(lines) + "\n"
