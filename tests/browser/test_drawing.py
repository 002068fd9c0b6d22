"""A real browser draws made-up frames: every panel type, links, thresholds, nothing, one point, negatives, thirty slices."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ecom_lite.dashboards.currency import unit_of
from ecom_lite.dashboards.drawable import PANEL_TYPES
from tests.browser.drawing import DAY_MS, MINUTE_MS, ORIGIN, START_MS, Drawing, Json, answer, frame, override, panel
from tests.browser.tab import CHROMIUM, SCHEMES, settle

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM} (set CHROMIUM)"),
    pytest.mark.timeout(240),
]
BOXES = Path(__file__).with_name("boxes.js")
LEAST_PX = 9.5
ROWS: Json = {"reduceOptions": {"values": True, "calcs": ["lastNotNull"]}}
MAPPED = {"type": "value", "options": {"down": {"color": "red", "text": "broken", "index": 0}}}
STEPS = [{"color": "green", "value": None}, {"color": "red", "value": 20}]
THRESHOLDS: Json = {"thresholds": {"mode": "absolute", "steps": STEPS}}
CONTEXT: Json = {
    "timezone": "Europe/Berlin",
    "uid": "made-up",
    "from": "now-1h",
    "to": "now",
    "variables": {"category": ["Books", "Home & Kitchen"]},
    "annotations": [{"at": START_MS + 10 * MINUTE_MS, "end": None, "name": "dbt", "text": "a run", "color": "green", "tags": []}],
}


def named(count: int, value: Callable[[int], float | None] = lambda at: 100.0 - at) -> Json:
    return frame({"Name": "string", "Value": "number"}, [[f"Category {at + 1}", value(at)] for at in range(count)])


def wave(*names: str, count: int = 60) -> Json:
    rows = [[START_MS + at * MINUTE_MS, *(10.0 * (n + 1) + at % 7 for n, _ in enumerate(names))] for at in range(count)]
    return frame({"time": "time", **dict.fromkeys(names, "number")}, rows)


def states() -> Json:
    rows = [[START_MS, "ready", 1], [START_MS + 20 * MINUTE_MS, "down", None], [START_MS + 40 * MINUTE_MS, "ready", 1]]
    return frame({"time": "time", "kafka": "string", "loader": "number"}, rows)


def products() -> Json:
    columns = {"Id": "number", "Day": "time", "Product": "string", "Revenue": "number", "Share": "number"}
    rows = [
        [at, START_MS - at * DAY_MS, f"Noise-cancelling headphones {at}", 1_000.5 * at if at != 3 else None, at / 10]
        for at in range(1, 9)
    ]
    return frame(columns, rows)


LINK = {"title": "Explore", "url": '/d/explorer?var-product=${__data.fields["Id"]}&${__url_time_range}&${category:queryparam}'}
TABLE: Json = panel(
    "table",
    "Products",
    options={"footer": {"show": True, "reducer": ["sum"]}},
    overrides=[
        override("Id", custom__hidden=True),
        override("Product", links=[LINK]),
        override("/^Rev/", "byRegexp", unit="currencyUSD"),
        override("Share", unit="percentunit", max=1, custom__cellOptions={"type": "gauge"}),
    ],
)
LEGEND: Json = {"legend": {"showLegend": True, "displayMode": "table", "placement": "right", "calcs": ["max", "lastNotNull"]}}
STACK: Json = {"custom": {"drawStyle": "bars", "stacking": {"mode": "normal", "group": "A"}, "barAlignment": 1}}
ONE_OF_EACH: dict[str, list[tuple[Json, Json]]] = {
    "stat": [
        (panel("stat", options={"graphMode": "area"}, defaults={"unit": "currencyUSD"}), answer(wave("x"))),
        (
            panel("stat", options={"reduceOptions": {"fields": "/.*/"}, "textMode": "value_and_name"}),
            answer(frame({"Revenue": "number", "In words": "string"}, [[12.5, "Tuesday is ahead of last Tuesday; Books lead"]])),
        ),
    ],
    "gauge": [
        (panel("gauge", defaults={"unit": "percent", **THRESHOLDS}), answer(frame({"a": "number", "b": "number"}, [[15, 80]])))
    ],
    "timeseries": [
        (panel("timeseries", options=LEGEND, defaults={"unit": "s"}), answer(wave("p50", "p95"))),
        (panel("timeseries", defaults=STACK), answer(wave("Books", "Games"), previous=[wave("Books", "Games")])),
        (panel("timeseries", defaults={"custom": {"scaleDistribution": {"type": "log", "log": 10}}}), answer(wave("x"))),
    ],
    "barchart": [
        (panel("barchart", options={"xField": "Name"}), answer(named(5, lambda at: 3.0 - at))),
        (panel("barchart", options={"xField": "Name", "orientation": "horizontal"}), answer(named(40))),
    ],
    "piechart": [(panel("piechart", options=ROWS), answer(named(7)))],
    "table": [(TABLE, answer(products()))],
    "heatmap": [(panel("heatmap"), answer(wave("0-1 s", "1-2 s", "2-5 s")))],
    "bargauge": [
        (panel("bargauge", options=ROWS, defaults={"color": {"mode": "continuous-BlPu"}}), answer(named(6))),
        (panel("bargauge", options={**ROWS, "orientation": "vertical"}), answer(named(4))),
    ],
    "state-timeline": [(panel("state-timeline", defaults={"mappings": [MAPPED]}), answer(states()))],
    "text": [(panel("text", options={"mode": "markdown", "content": "# Words\n\nSome **bold** ones."}), answer())],
}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [600, 330])
def test_each_type_is_drawn_and_can_be_read(browser: Browser, scheme: str, width: int) -> None:
    assert tuple(ONE_OF_EACH) == PANEL_TYPES
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    made = Drawing(browser, scheme, 1300 if width > 400 else 390)
    made.page.add_init_script(path=BOXES)
    made.page.goto(f"{ORIGIN}/")
    for kind, examples in ONE_OF_EACH.items():
        for shown, data in examples:
            body = made.draw(shown, data, CONTEXT, width, 300)
            assert body.locator("canvas, svg, td, .cards, .value, .fill, .prose").count() > 0, kind
    settle(made.page, 900)  # figures run to their value
    found = made.page.evaluate("options => measureBoxes(options)", {"leastPx": LEAST_PX, "narrow": width < 400})
    assert found == []
    violations = axe.Axe().run(made.page).response["violations"]
    assert [(v["id"], [n["html"][:90] for n in v["nodes"]]) for v in violations if v["impact"] in ("serious", "critical")] == []
    assert made.complaints == []
    made.page.close()


@pytest.mark.parametrize("kind", [kind for kind in PANEL_TYPES if kind != "text"])
def test_nothing_and_one_and_nulls_break_no_type(drawing: Drawing, kind: str) -> None:
    options = ROWS if kind in ("piechart", "bargauge") else {}
    timed = kind in ("timeseries", "state-timeline", "heatmap")
    columns = {"time" if timed else "Name": "time" if timed else "string", "a": "number", "b": "number"}
    first: Any = START_MS if timed else "One"
    for rows in ([], [[first, 5, -5]], [[first, None, None]], [[first, 0, 0]]):
        drawing.draw(panel(kind, options=options), answer(frame(columns, rows)), width=400)


def test_thirty_slices_are_told_apart_and_the_total_stays_in_the_hole(drawing: Drawing) -> None:
    body = drawing.draw(panel("piechart", options=ROWS), answer(named(30)), width=500)
    fills = body.locator(".slice").evaluate_all("all => all.map(each => each.getAttribute('fill'))")
    assert len(fills) == 30 == len(set(fills))
    million = answer(named(2, lambda _: 61_728_394.5))
    for width in (330, 500):
        money = panel("piechart", options=ROWS, defaults={"unit": "currencyUSD", "decimals": 2})
        body = drawing.draw(money, million, width=width, height=260)
        total = body.locator(".total").bounding_box()
        ring = body.locator(".ring").bounding_box()
        assert total and ring and body.locator(".total").text_content() in ("$123,456,789.00", "$123M")
        assert (total["width"] ** 2 + total["height"] ** 2) ** 0.5 < ring["width"] * 0.62


def test_a_name_keeps_its_colour(browser: Browser) -> None:
    script = """async names => (await import("/static/v/theme.js")).seriesColors(names)"""
    for scheme in SCHEMES:
        made = Drawing(browser, scheme)
        names = [f"name {at}" for at in range(20)]
        before: list[str] = made.page.evaluate(script, names)
        assert len(set(before)) == 20
        made.page.reload()
        assert made.page.evaluate(script, ["a new one", *names])[1:] == before
        assert made.page.evaluate(script, list(reversed(names))) == before[::-1]
        made.page.close()


def test_links_are_real_ones(drawing: Drawing) -> None:
    drawing.draw(TABLE, answer(products()), CONTEXT, width=700)
    wanted = "/d/explorer?var-product=1&from=now-1h&to=now&var-category=Books&var-category=Home%20%26%20Kitchen"
    assert drawing.page.locator("td a").first.get_attribute("href") == wanted
    by_name = {"links": [{"title": "Orders of it", "url": "/d/explorer?var-category=${__data.fields.Name}"}]}
    data = answer(frame({"Name": "string", "Value": "number"}, [["Home & Kitchen", 3]]))
    for kind, options in (("barchart", {"xField": "Name"}), ("piechart", ROWS), ("bargauge", ROWS), ("stat", ROWS)):
        body = drawing.draw(panel(kind, options=options, defaults=by_name), data, CONTEXT)
        link = body.locator("a").first
        assert link.get_attribute("href") == "/d/explorer?var-category=Home%20%26%20Kitchen", kind


def test_a_state_s_link_is_of_the_row_that_it_begins_with(drawing: Drawing) -> None:
    link = {"title": "Look", "url": '/d/explorer?var-id=${__data.fields["id"]}&at=${__value.time}'}
    steps = [None, "ready", "ready", None, "down"]
    rows = [[START_MS + at * 10 * MINUTE_MS, state, at] for at, state in enumerate(steps)]
    data = answer(frame({"time": "time", "kafka": "string", "id": "number"}, rows))
    body = drawing.draw(panel("state-timeline", overrides=[override("kafka", links=[link])]), data, CONTEXT)
    found = body.locator("a").evaluate_all("all => all.map((each) => each.getAttribute('href'))")
    assert found == [f"/d/explorer?var-id={at}&at={rows[at][0]}" for at in (1, 4)]


def test_a_table_sorts_hides_adds_up_and_becomes_cards(drawing: Drawing) -> None:
    body = drawing.draw(TABLE, answer(products()), CONTEXT, width=700, height=500)
    heads = body.locator("th").all_inner_texts()
    assert heads == ["Day", "Product", "Revenue", "Share"]
    assert body.locator("tbody td").nth(0).inner_text() == "2025-11-26"
    body.get_by_role("button", name="Revenue").click()
    body.get_by_role("button", name="Revenue").click()
    assert body.locator("th[aria-sort=descending]").count() == 1
    assert body.locator("tbody tr").first.locator("td").nth(2).inner_text() == "$8,004"
    assert body.locator("tbody tr").last.locator("td").nth(2).inner_text() == "–", "nothing comes last"
    assert body.locator("tfoot td").nth(2).inner_text() == "$33,017"
    last = body.locator("tbody tr").first.locator("td").last.bounding_box()
    edge = body.bounding_box()
    assert last and edge and last["x"] + last["width"] <= edge["x"] + edge["width"]
    cards = drawing.draw(TABLE, answer(products()), CONTEXT, width=300, height=400)
    assert (
        cards.locator(".cards li").count() == 8
        and "Noise-cancelling headphones 1" in cards.locator(".card-head").first.inner_text()
    )
    assert cards.locator(".cards a").first.get_attribute("href")


def test_bars_turn_where_their_labels_would_not_fit(drawing: Drawing) -> None:
    long = frame({"Name": "string", "Value": "number"}, [[f"A rather long name {at}", 10 - at] for at in range(9)])
    chart = panel("barchart", options={"xField": "Name", "orientation": "vertical"})
    short, narrow = drawing.draw(chart, answer(named(3))), drawing.draw(chart, answer(long), width=330, height=400)
    tall = "all => all.every(each => each.height.baseVal.value > each.width.baseVal.value)"
    assert short.locator(".bar").evaluate_all(tall)
    flat = "all => all.every((each, at) => at > 5 || each.width.baseVal.value > each.height.baseVal.value)"
    assert narrow.locator(".bar").evaluate_all(flat)
    sizes = narrow.locator("text.number").evaluate_all("all => all.map(each => parseFloat(getComputedStyle(each).fontSize))")
    assert sizes and min(sizes) >= 11
    assert drawing.page.locator("text[transform]").count() == 0


def test_mappings_thresholds_and_words_for_nothing(drawing: Drawing) -> None:
    signed = {"type": "regex", "options": {"pattern": "/^\\+/", "result": {"color": "green", "index": 0}}}
    shown = panel(
        "stat",
        options={"reduceOptions": {"fields": "/.*/"}, "textMode": "value_and_name"},
        defaults={"noValue": "none yet", "mappings": [signed, MAPPED], **THRESHOLDS},
    )
    data = answer(
        frame({"Change": "string", "State": "string", "Missing": "number", "Load": "number"}, [["+12 %", "down", None, 25]])
    )
    body = drawing.draw(shown, data, width=800, height=140)
    assert body.locator(".value").all_inner_texts() == ["+12 %", "broken", "none yet", "25"]
    colours = body.locator(".value").evaluate_all("all => all.map(each => each.style.color)")
    green, red = colours[0], colours[3]
    assert green != red and colours[1] == red
    before = answer(wave("x"), previous=[wave("x", count=20)])
    assert drawing.draw(panel("stat"), before).locator(".change").inner_text() == "▼ 13%, before: 15"


@pytest.mark.parametrize(("width", "height"), [(460, 140), (300, 200), (220, 230)])
def test_figures_beside_each_other_are_whole(browser: Browser, width: int, height: int) -> None:
    made = Drawing(browser)
    made.page.add_init_script(path=BOXES)
    made.page.goto(f"{ORIGIN}/")
    shown = panel(
        "stat", options={"reduceOptions": {"fields": "/.*/"}, "textMode": "value_and_name"}, defaults={"unit": "currencyUSD"}
    )
    columns = {"Today so far": "number", "Against last week": "string", "Over": "string"}
    body = made.draw(shown, answer(frame(columns, [[157_492.9, "+61.8 %", "the last 15 minutes"]])), width=width, height=height)
    line = answer(frame({"x": "string"}, [["Friday is 62 % ahead of last Friday; Sports leads"]]))
    made.draw(panel("stat", options={"reduceOptions": {"fields": "/.*/"}}), line, width=width, height=height)
    settle(made.page, 800)
    assert body.locator(".value").all_text_contents() == ["$157,493", "+61.8 %", "the last 15 minutes"]
    found = made.page.evaluate("options => measureBoxes(options)", {"leastPx": LEAST_PX, "narrow": False})
    assert found == [] and made.complaints == []
    assert body.locator("xpath=..").get_attribute("data-wide") is not None
    for text in made.page.locator(".value").all():
        box, around = text.bounding_box(), text.locator("xpath=ancestor::*[@class='body']").bounding_box()
        assert box and around and box["y"] + box["height"] <= around["y"] + around["height"], "without scrolling"
    made.page.close()


def test_an_amount_with_its_currency_s_code_is_a_figure_and_no_sentence(drawing: Drawing) -> None:
    options = {"reduceOptions": {"fields": "/.*/"}, "textMode": "value_and_name"}
    shown = panel("stat", options=options, defaults={"unit": unit_of("CHF"), "decimals": 2})
    body = drawing.draw(
        shown, answer(frame({"Now": "number", "Over": "string"}, [[-157_492.9, "the last 15 minutes"]])), width=600
    )
    settle(drawing.page, 800)
    assert body.locator(".value").all_text_contents() == ["-CHF\u00a0157,492.90", "the last 15 minutes"]
    assert body.locator(".value.words").all_text_contents() == ["the last 15 minutes"]


def test_ticks_of_hours_and_days_stay_round_beyond_a_change_of_the_clocks(drawing: Drawing) -> None:
    script = """async ([zone, from, to, count]) => { const { setZone, timeTicks, isoTime } = await import("/static/v/time.js");
        setZone(zone);
        const found = timeTicks(Date.parse(from), Date.parse(to), count).values.map((each) => isoTime(each).slice(5, 13));
        setZone("utc");
        return found; }"""
    days = drawing.page.evaluate(script, ["Europe/Berlin", "2026-10-23T00:00:00Z", "2026-10-27T00:00:00Z", 4])
    assert days == ["10-24 00", "10-25 00", "10-26 00", "10-27 00"]
    hours = drawing.page.evaluate(script, ["Europe/Berlin", "2026-03-28T20:00:00Z", "2026-03-29T08:00:00Z", 4])
    assert hours == ["03-28 21", "03-29 00", "03-29 03", "03-29 06", "03-29 09"]


def test_a_day_of_utc_is_that_day_also_west_of_greenwich(drawing: Drawing) -> None:
    script = """async ([ms, step]) => { const { setZone, fullTime } = await import("/static/v/time.js");
        setZone("America/New_York");
        const found = fullTime(ms, step);
        setZone("utc");
        return found; }"""
    there = START_MS + 300 * MINUTE_MS  # midnight in New York
    found = [drawing.page.evaluate(script, each) for each in ([START_MS, DAY_MS], [there, DAY_MS], [START_MS, 0])]
    assert found == ["Thu, Nov 27, 2025", "Thu, Nov 27, 2025", "Wed, Nov 26, 19:00:00"]


def test_text_is_marked_up_and_never_markup(drawing: Drawing) -> None:
    content = "# One\n\n- a **b** <script>alert(1)</script>\n- [x](javascript:alert(1)) [y](/d/explorer)"
    body = drawing.draw(panel("text", options={"mode": "markdown", "content": content}), answer())
    assert body.locator("h3").inner_text() == "One" and body.locator("li").count() == 2
    assert body.locator("script").count() == 0 and "<script>" in body.inner_text()
    assert body.locator("a").evaluate_all("all => all.map(each => each.getAttribute('href'))") == ["/d/explorer"]


def test_figures_and_picture_to_take_away(drawing: Drawing) -> None:
    from PIL import Image

    table: Json = drawing.page.evaluate(
        """async ([panel, answer]) => (await import("/static/v/panels.js")).toTable(panel, answer)""", [TABLE, answer(products())]
    )
    assert table["columns"] == ["Day", "Product", "Revenue", "Share"]
    assert table["rows"][0] == ["2025-11-26", "Noise-cancelling headphones 1", "$1,001", "10.0%"]
    assert table["raw"][0] == [START_MS - DAY_MS, "Noise-cancelling headphones 1", 1000.5, 0.1]
    for kind, examples in ONE_OF_EACH.items():
        for shown, data in examples:
            body = drawing.draw(shown, data, CONTEXT)
            settle(drawing.page, 50)
            raw = drawing.page.evaluate(
                """async ([panel, id]) => { const { toPng } = await import("/static/v/panels.js");
                const blob = await toPng(panel, document.querySelector(id + " .body"));
                return [...new Uint8Array(await blob.arrayBuffer())]; }""",
                [shown, f"#{body.evaluate('each => each.parentNode.id')}"],
            )
            with Image.open(io.BytesIO(bytes(raw))) as picture:
                assert picture.width == 2 * body.evaluate("each => each.offsetWidth")
                colours = picture.convert("RGB").getcolors(1 << 24) or []
                inked = sum(count for count, _ in colours) - max(count for count, _ in colours)
            assert inked > 2_000, f"{kind}: an empty picture"
