"""The course of `bench load`: one measurement after the other, each with a topic or a database that nothing has touched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ..errors import UsageError
from ..settings.tree import Settings
from ..terminal.terminal import Terminal
from .backlog import fill
from .bare import copy_raw
from .growth import LARGE, SMALL, growth
from .latency import RATE, latency
from .mappings import TURNS, cases_of, mapping_rates
from .mappings import ratios as mapping_ratios
from .naive import SLICE, naive
from .process import Loaded, load, load_by
from .rig import Rig
from .stages import consume, decode_and_write
from .told import Figures, measured

MIN_EVENTS: Final = 1_000
OTHERS_CORES: Final = 0.4  # more than the system itself uses
BYTES_PER_EVENT: Final = 2_500  # on the topic, in the warehouse twice over, in the log
ENGINES_BYTES: Final = 2 << 30  # an empty cluster and the log that PostgreSQL keeps
GROWTH_BYTES: Final = 3 << 30


def bench_load(
    settings: Settings, terminal: Terminal, *, events: int, latency_s: float, with_growth: bool, mapping: str, command: str
) -> Figures:
    """All figures by name, or with `mapping` those of its cases alone; docs/benchmarks.md says what each is. Takes about two
    minutes per million events, and one more for the rest.

    Raises UsageError, CheckFailed when the loader's count does not close, and EcomLiteError.
    """
    if events < MIN_EVENTS:
        raise UsageError(f"--events {events}: too few to measure anything; {MIN_EVENTS} is the least, 1000000 tells most")
    cases = cases_of(mapping) if mapping else []
    needed = ENGINES_BYTES + events * BYTES_PER_EVENT + (GROWTH_BYTES if with_growth else 0)

    def measure(own: Rig) -> Figures:
        figures = _map(own, terminal, cases, events) if cases else _measure(own, terminal, events, latency_s, with_growth)
        return {**figures, "events": events}

    figures = measured(settings, terminal, needed, measure, command)
    return {**figures, "shop": {**figures["shop"], "rate": "max"}}


def _measure(own: Rig, terminal: Terminal, events: int, latency_s: float, with_growth: bool) -> Figures:
    say = terminal.say
    settings = own.topic("bench")
    say(f"making a backlog of {events:,} events")
    sent = fill(settings, own.client, events)
    say(f"  {sent.lines:,} order lines and {events - sent.lines:,} other events, {events / sent.seconds:,.0f} events/s")
    figures: Figures = {"other_events": events - sent.lines, "simulate_and_send": _rate(events / sent.seconds)}

    def told(name: str, value: float, unit: str = "events/s") -> None:
        figures[name] = _rate(value)
        say(f"  {name:<10} {value:>10,.0f} {unit}")

    with own.warehouse("bare") as address:
        told("copy_raw", copy_raw(address, events), "rows/s")
    told("consume", consume(settings, own.client, events))
    with own.warehouse("stages") as address:
        stages = decode_and_write(settings, own.client, address, events)
    told("decode", stages.decode)
    told("write", stages.write)
    with own.warehouse("loader") as address:
        loaded = load(own, settings, address, sent)
    told("loader", loaded.rate)
    if (others := loaded.usage.cores_others()) > OTHERS_CORES:
        say(f"  warning: other work on this machine used {others:.1f} cores meanwhile: the figures are too low", "yellow")
    with own.warehouse("loader_two") as address:
        told("loader_two", load_by(2, own, settings, address, sent))
    figures["naive_events"] = min(SLICE, max(MIN_EVENTS, events // 10))
    with own.warehouse("naive") as address:
        told("naive", naive(settings, own.client, address, figures["naive_events"]))
    figures |= _cost(loaded)
    say(f"latency at {RATE} events/s for {latency_s:g} s")
    with own.warehouse("latency") as address:
        delay = latency(own, own.topic("latency"), address, latency_s)
    figures |= {"p50_ms": round(delay.p50, 1), "p95_ms": round(delay.p95, 1), "p99_ms": round(delay.p99, 1)}
    figures |= {"max_ms": round(delay.worst, 1), "latency_rate": RATE, "latency_s": latency_s}
    if with_growth:
        figures |= _grow(own, terminal)
    return figures | {"ratios": ratios(figures)}


def _map(own: Rig, terminal: Terminal, cases: Sequence[str], events: int) -> Figures:
    terminal.say(f"{events:,} order lines, {TURNS} times each: {', '.join(cases)}")
    rates = mapping_rates(own, cases, events, terminal.say)
    return {**{f"mapping_{name}": _rate(rate) for name, rate in rates.items()}, "ratios": mapping_ratios(rates)}


def _grow(own: Rig, terminal: Terminal) -> Figures:
    terminal.say(f"growth: into {SMALL:,} rows, then into {LARGE:,} rows, which are made first")
    small, large = growth(own)
    return {"growth_small": _rate(small), "growth_large": _rate(large), "growth_ratio": round(small / large, 3)}


def _cost(loaded: Loaded) -> Figures:
    usage = loaded.usage
    return {
        "loader_with_start": _rate(loaded.events / loaded.seconds_with_start),
        "loader_s": round(loaded.seconds, 3),
        "loader_with_start_s": round(loaded.seconds_with_start, 3),
        "loader_cpu_us": round(loaded.cpu_us("loader"), 2),
        "loader_with_start_cpu_us": round(loaded.cpu_with_start_s / loaded.events * 1e6, 2),
        "postgres_cpu_us": round(loaded.cpu_us("postgres"), 2),
        "kafka_cpu_us": round(loaded.cpu_us("kafka"), 2),
        "bench_cpu_us": round(loaded.cpu_us("bench"), 2),
        "cores_busy": round(usage.cores_busy(), 2),
        "cores_others": round(usage.cores_others(), 2),
        "loader_cores": round(usage.parts["loader"] / usage.at_s, 2),
        **{f"postgres_{kind}": round(share, 3) for kind, share in loaded.postgres.items()},
        "rss_start_mb": round(loaded.rss_start_mb, 1),
        "rss_mb": round(loaded.rss_peak_mb, 1),
    }


def ratios(figures: Figures) -> dict[str, float]:
    """The loader's rate over its slowest stage's, over the bare COPY's, and over the row-by-row baseline's."""
    loader = figures["loader"]
    slowest = min(figures[name] for name in ("consume", "decode", "write"))
    return {
        "loader_to_slowest_stage": round(loader / slowest, 3),
        "loader_to_copy_raw": round(loader / figures["copy_raw"], 3),
        "loader_to_naive": round(loader / figures["naive"], 1),
    }


def _rate(value: float) -> int:
    return round(value)
