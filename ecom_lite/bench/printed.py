"""The figures for people: one table, then the ratios and what it was measured on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..terminal.printing import print_table

RATES: Final = {
    "copy_raw": "rows/s, raw binary COPY into a bare table: the ceiling",
    "consume": "events/s, reading the backlog and nothing else",
    "decode": "events/s, bytes to rows and nothing else",
    "write": "events/s, committing decoded batches and nothing else",
    "loader": "events/s, one loader process, from its claim of the partitions to the last commit",
    "loader_with_start": "events/s, the same with the start of its process",
    "loader_two": "events/s, two loader processes that share the partitions",
    "naive": "events/s, row-by-row baseline",
    "mapping_none": "facts/s, one loader process, of order lines as the contract writes them",
    "mapping_rename": "facts/s, of the same lines under other names",
    "mapping_lines": "facts/s, of the same lines as whole orders",
    "growth_small": "events/s into a fact table of 0.1 million rows",
    "growth_large": "events/s into one of 5 million rows",
}
COSTS: Final = {
    "loader_cpu_us": "us of CPU per event: the loader, its start excluded",
    "postgres_cpu_us": "us of CPU per event: PostgreSQL, all its processes",
    "kafka_cpu_us": "us of CPU per event: the broker",
    "bench_cpu_us": "us of CPU per event: the benchmark's own overhead",
    "cores_busy": "cores at work during the load, whoever used them",
    "cores_others": "cores of these at work for none of the four above",
    "loader_cores": "cores that the loader used; its Python code can use one",
    "postgres_works": "share of the load in which the loader's database session was at work",
    "postgres_waits_for_loader": "share in which that session had nothing to do",
    "postgres_waits_for_disk": "share in which it waited for the disk or the log",
    "postgres_waits_else": "share in which it waited for something else",
    "rss_start_mb": "MB of memory: the loader when it begins",
    "rss_mb": "MB of memory: the loader at its highest",
    "p50_ms": "ms from the broker's timestamp to the commit, the middle one",
    "p95_ms": "ms, 95 of 100 are quicker",
    "p99_ms": "ms, 99 of 100 are quicker",
    "max_ms": "ms, the slowest",
}
RATIOS: Final = {
    "loader_to_slowest_stage": "loader / slowest of consume, decode, write",
    "loader_to_copy_raw": "loader / copy_raw",
    "loader_to_naive": "loader / naive",
    "mapping_rename_to_none": "mapping_rename / mapping_none",
    "mapping_lines_to_none": "mapping_lines / mapping_none",
    "growth_ratio": "cost of an event in the large table / in the small one",
}
PRODUCER: Final = {
    "generate": "events/s, the shop alone",
    "encode": "events/s, into compressed record batches and nothing else",
    "send": "events/s, batches that are ready, until they are acknowledged",
    "produce": "events/s, one producer process, acknowledged and in its ledger",
    "loader": "events/s, one loader process over what that one has sent",
    "end_to_end": "events/s, both processes side by side, from the first event to the last commit",
    "naive": "events/s, json.dumps and send for each event",
    "generate_cpu_us": "us of CPU per event: the shop alone",
    "encode_cpu_us": "us of CPU per event: record batches alone",
    "send_cpu_us": "us of CPU per event: the client alone",
    "produce_cpu_us": "us of CPU per event: the producer, its start excluded",
    "produce_send_us": "us of CPU per event: of these not for the shop",
    "kafka_cpu_us": "us of CPU per event: the broker, beside the producer alone",
    "postgres_cpu_us": "us of CPU per event: PostgreSQL, for the ledger",
    "bench_cpu_us": "us of CPU per event: the benchmark's own overhead",
    "cores_busy": "cores at work beside the producer alone, whoever used them",
    "cores_others": "cores of these at work for none of the four above",
    "rss_start_mb": "MB of memory: the producer when it begins",
    "rss_mb": "MB of memory: the producer at its highest",
    "rss_growth_mb": "MB of memory that it has gained after a quarter of the time",
    "produce_to_slowest_stage": "produce / slowest of generate, encode, send",
    "end_to_end_to_slowest": "end_to_end / slower of produce and loader",
    "produce_to_naive": "produce / naive",
}


def print_figures(figures: Mapping[str, Any], words: Mapping[str, str] = {**RATES, **COSTS, **RATIOS}) -> None:
    every = {**figures, **figures["ratios"]}
    rows = [(name, f"{every[name]:,}", what) for name, what in words.items() if name in every]
    width = max(len(number) for _, number, _ in rows)
    print_table(["figure", "", "what it is"], [(name, number.rjust(width), what) for name, number, what in rows])
    print_circumstances(f"{figures['events']:,} events of seed {figures['seed']}", figures)


def print_marts(figures: Mapping[str, Any]) -> None:
    """A row for each size."""
    columns = ["facts", "refresh_s", "growth", "full_refresh_s", "board_ms", "growth", "slowest", "beside"]
    rows = [
        (
            f"{at['facts']:,}", at["refresh_s"], f"{at['ratios']['refresh_growth']:.2f}", at["full_refresh_s"],
            at["board_ms"], f"{at['ratios']['board_growth']:.2f}", at["board_worst_ms"], f"{at['events_per_s']:,} events/s",
        )
        for at in figures["sizes"]
    ]  # fmt: skip
    print_table(columns, rows)
    last = figures["sizes"][-1]
    print_circumstances(f"{figures['new_facts']:,} new facts a refresh, {last['models']} models, {last['tests']} tests", figures)


def print_dashboards(figures: Mapping[str, Any]) -> None:
    """A row for each board at each size, then what those who look cost."""
    rows = []
    for at in figures["sizes"]:
        painted, drawn = at["first_paint_ms"] or {}, at["all_panels_ms"] or {}
        for uid, ms in at["board_ms"].items():
            panels = at["panels_ms"][uid]
            slowest = max(panels, key=lambda name: panels[name])
            shown = painted.get(uid, "-"), drawn.get(uid, "-")
            rows.append((f"{at['facts']:,}", uid, ms, at["board_worst_ms"][uid], f"{panels[slowest]} ({slowest})", *shown))
    print_table(["facts", "board", "board_ms", "worst", "slowest_panel_ms", "first_paint_ms", "all_panels_ms"], rows)
    for at in figures["sizes"]:
        by, ratios = at["viewers"], at["ratios"]
        print(
            f"{at['facts']:,} facts, page {at['page_kb']} KB; {by['viewers']} viewers by {by['by']}: load rate "
            f"{ratios['load_rate_to_without']:.2f} and delay p95 {ratios['p95_to_without']:.2f} of those without "
            f"({by['load_rate_without']:,} events/s, {by['p95_ms_without']} ms)"
        )
    if why := figures["sizes"][-1]["first_paint_why"]:
        print(f"no first paint: {why}")
    print_circumstances(f"beside {figures['rate']:,} events/s", figures)


def print_lake(figures: Mapping[str, Any]) -> None:
    """A row for each figure."""
    print_table(["figure", ""], [(name, f"{figures[name]:,}") for name in figures if isinstance(figures[name], int | float)])
    print_circumstances(f"{figures['facts']:,} facts", figures)


def print_sql(figures: Mapping[str, Any]) -> None:
    """A row for each question, and for each check."""
    rows = [(name, at["lake_ms"], at["postgres_ms"], at["command_ms"]) for name, at in figures["questions"].items()]
    print_table(["question", "lake_ms", "postgres_ms", "command_ms"], rows)
    print()
    rows = [(name, at["ms"], at["full_ms"], at["command_ms"]) for name, at in figures["checks"].items()]
    print_table(["check", "ms", "full_ms", "command_ms"], rows)
    print_circumstances(f"{figures['facts']:,} facts", figures)


def print_circumstances(of: str, figures: Mapping[str, Any]) -> None:
    """What the figures are of, and what they were taken on."""
    machine, versions, shop = figures["machine"], figures["versions"], figures["shop"]
    print()
    print(f"{of}: {shop['products']:,} products, {shop['customers']:,} customers")
    print(f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}")
    print(", ".join(f"{name} {number}" for name, number in versions.items()))
    print(f"{figures['began']}, {figures['took_s']} s: {figures['command']}")
