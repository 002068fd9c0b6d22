"""The course of `bench produce`: the producer's stages, a real producer alone, the loader beside it, and a naive one."""

from __future__ import annotations

from typing import Final

from ..errors import UsageError
from ..settings.tree import Settings
from ..terminal.terminal import Terminal
from .course import BYTES_PER_EVENT, ENGINES_BYTES, OTHERS_CORES
from .naive_producer import SLICE, naive_producer
from .process import load
from .producing import Produced, end_to_end, produce
from .rig import Rig
from .sending import encode, generate, send
from .told import Figures, measured

MIN_EVENTS: Final = 5_000  # a process sends fewer before anybody can look


def bench_produce(settings: Settings, terminal: Terminal, *, events: int, command: str) -> Figures:
    """All figures by name; docs/benchmarks.md says what each is. Takes about a minute per million events.

    Raises UsageError, CheckFailed when the ledger is not what the topic holds or the loader's count does not close, and
    EcomLiteError.
    """
    if events < MIN_EVENTS:
        raise UsageError(f"--events {events}: too few to measure anything; {MIN_EVENTS} is the least, 1000000 tells most")

    def measure(own: Rig) -> Figures:
        return {**_measure(own, terminal, events), "events": events}

    figures = measured(settings, terminal, ENGINES_BYTES + 2 * events * BYTES_PER_EVENT, measure, command)
    return {**figures, "shop": {**figures["shop"], "rate": "max"}}


def _measure(own: Rig, terminal: Terminal, events: int) -> Figures:
    say = terminal.say
    figures: Figures = {}

    def told(name: str, rate: float, cpu_us: float | None = None) -> None:
        figures[name] = round(rate)
        say(f"  {name:<10} {rate:>10,.0f} events/s")
        if cpu_us is not None:
            figures[f"{name}_cpu_us"] = round(cpu_us, 2)

    say(f"{events:,} events, each stage alone, then a producer process")
    told("generate", *(made := generate(own.settings, events)))
    told("encode", *encode(own.settings, events))
    told("send", *send(own.topic("send"), own.client, events))
    settings = own.topic("produce")
    with own.warehouse("produce") as address:
        produced = produce(own, settings, address, events)
    told("produce", produced.rate)
    with own.warehouse("loader") as address:
        loaded = load(own, settings, address, produced.sent)
    told("loader", loaded.rate)
    if (others := max(produced.usage.cores_others(), loaded.usage.cores_others())) > OTHERS_CORES:
        say(f"  warning: other work on this machine used {others:.1f} cores meanwhile: the figures are too low", "yellow")
    with own.warehouse("end_to_end") as address:
        told("end_to_end", end_to_end(own, own.topic("end_to_end"), address, events))
    figures["naive_events"] = min(SLICE, events // 10)
    told("naive", naive_producer(own.topic("naive"), own.client, figures["naive_events"]))
    figures |= _cost(produced, made.cpu_us)
    return figures | {"other_events": events - produced.sent.lines, "ratios": ratios(figures)}


def _cost(produced: Produced, generate_us: float) -> Figures:
    usage = produced.usage
    return {
        "produce_s": round(produced.sent.seconds, 3),
        "produce_cpu_us": round(produced.cpu_us("producer"), 2),
        "produce_send_us": round(produced.cpu_us("producer") - generate_us, 2),
        "kafka_cpu_us": round(produced.cpu_us("kafka"), 2),
        "postgres_cpu_us": round(produced.cpu_us("postgres"), 2),
        "bench_cpu_us": round(produced.cpu_us("bench"), 2),
        "cores_busy": round(usage.cores_busy(), 2),
        "cores_others": round(usage.cores_others(), 2),
        "rss_start_mb": round(produced.rss_start_mb, 1),
        "rss_mb": round(produced.rss_peak_mb, 1),
        "rss_growth_mb": round(produced.rss_growth_mb, 1),
    }


def ratios(figures: Figures) -> dict[str, float]:
    """The producer's rate over its slowest stage's and the naive one's; that of both together over the slower one alone."""
    return {
        "produce_to_slowest_stage": round(figures["produce"] / min(figures[name] for name in ("generate", "encode", "send")), 3),
        "end_to_end_to_slowest": round(figures["end_to_end"] / min(figures["produce"], figures["loader"]), 3),
        "produce_to_naive": round(figures["produce"] / figures["naive"], 1),
    }
