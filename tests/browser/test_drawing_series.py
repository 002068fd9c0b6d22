"""Time series in a real browser: gaps, zoom, tooltips, thresholds, annotations, the period before, zones, updating in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.drawing import HOUR_MS, MINUTE_MS, START_MS, Drawing, Json, answer, frame, override, panel
from tests.browser.tab import CHROMIUM, settle
from tests.browser.test_drawing import CONTEXT, THRESHOLDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM} (set CHROMIUM)"),
    pytest.mark.timeout(240),
]
RED: Json = {"color": {"mode": "fixed", "fixedColor": "#ff0000"}, "custom": {"lineWidth": 3}}
# In which shares of the plot's width (0 to 1, in hundredths) there is something of this colour.
PAINTED = """(body, [r, g, b]) => {
  const canvas = body.querySelector("canvas");
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const over = body.querySelector(".u-over");
  const scale = width / canvas.getBoundingClientRect().width;
  const left = over.offsetLeft * scale, room = over.offsetWidth * scale;
  const found = new Set();
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) {
    const at = (y * width + x) * 4;
    const near = Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 60;
    if (data[at + 3] > 120 && near) found.add(Math.floor(((x - left) / room) * 100));
  }
  return [...found];
}"""

# The highest and lowest row of pixels of each colour.
HEIGHTS = """(body, colours) => {
  const canvas = body.querySelector("canvas");
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  return colours.map(([r, g, b]) => {
    const rows = [];
    for (let at = 0; at < data.length; at += 4) {
      const same = data[at] === r && data[at + 1] === g && data[at + 2] === b && data[at + 3] === 255;
      if (same) rows.push(Math.floor(at / 4 / width));
    }
    return [rows[0], rows.at(-1)];
  });
}"""


def minutes(*pairs: tuple[int, float | None]) -> Json:
    return frame({"time": "time", "x": "number"}, [[START_MS + at * MINUTE_MS, value] for at, value in pairs])


def painted(body: Locator, colour: tuple[int, int, int] = (255, 0, 0)) -> set[int]:
    return set(body.evaluate(PAINTED, list(colour)))


def test_no_line_is_drawn_through_a_stop(drawing: Drawing) -> None:
    stopped = minutes(*((at, 5.0) for at in range(61) if not 20 < at < 40))
    found = painted(drawing.draw(panel("timeseries", defaults=RED), answer(stopped)))
    assert {10, 30, 70, 90} & found == {10, 30, 70, 90} and not set(range(38, 64)) & found
    spanned = {**RED, "custom": {**RED["custom"], "spanNulls": True}}
    assert 50 in painted(drawing.draw(panel("timeseries", defaults=spanned), answer(stopped)))
    nulls = minutes(*((at, None if 20 < at < 40 else 5.0) for at in range(61)))
    assert not set(range(38, 64)) & painted(drawing.draw(panel("timeseries", defaults=RED), answer(nulls)))


def test_lonely_points_are_seen(drawing: Drawing) -> None:
    for data in (minutes((30, 5.0)), minutes((20, None), (30, 5.0), (40, None), (50, None))):
        found = painted(drawing.draw(panel("timeseries", defaults=RED), answer(data)))
        assert found and len(found) < 5


def test_two_queries_share_one_axis_of_times(drawing: Drawing) -> None:
    one = minutes(*((at, 5.0) for at in range(0, 61, 2)))
    other = frame({"time": "time", "y": "number"}, [[START_MS + at * MINUTE_MS, 7.0] for at in range(1, 61, 2)])
    found = painted(drawing.draw(panel("timeseries", overrides=[override("x", **RED_OVERRIDE)]), answer(one, other)))
    assert len(found) > 90, "a time that only the other query has is no stop"


RED_OVERRIDE: Json = {"color": RED["color"], "custom__lineWidth": 3}


def test_columns_stand_on_one_another_and_below_zero(drawing: Drawing) -> None:
    rows = [[START_MS + at * MINUTE_MS, 5.0, -5.0] for at in range(60)]
    defaults = {"custom": {"drawStyle": "bars", "fillOpacity": 100, "stacking": {"mode": "normal", "group": "A"}}}
    both = [
        override("up", color={"mode": "fixed", "fixedColor": "#ff0000"}),
        override("down", color={"mode": "fixed", "fixedColor": "#00ff00"}),
    ]
    shown = panel("timeseries", defaults=defaults, overrides=both)
    body = drawing.draw(shown, answer(frame({"time": "time", "up": "number", "down": "number"}, rows)))
    up, down = body.evaluate(HEIGHTS, [[255, 0, 0], [0, 255, 0]])
    assert up[0] < up[1] <= down[0] + 1 < down[1]


def test_dragging_asks_for_the_range(drawing: Drawing) -> None:
    body = drawing.draw(panel("timeseries"), answer(minutes(*((at, 5.0 + at) for at in range(61)))))
    drawing.page.evaluate("document.addEventListener('zoom', event => { window.zoomed = event.detail; })")
    box = body.locator(".u-over").bounding_box()
    assert box
    y = box["y"] + 50
    drawing.page.mouse.move(box["x"] + box["width"] * 0.25, y)
    drawing.page.mouse.down()
    drawing.page.mouse.move(box["x"] + box["width"] * 0.5, y, steps=4)
    drawing.page.mouse.up()
    zoomed = drawing.page.evaluate("window.zoomed")
    assert abs(zoomed["from"] - (START_MS + HOUR_MS / 4)) < MINUTE_MS and abs(zoomed["to"] - (START_MS + HOUR_MS / 2)) < MINUTE_MS
    drawing.page.mouse.click(box["x"] + box["width"] * 0.7, y)
    assert drawing.page.evaluate("window.zoomed") == zoomed, "a click is no drag"


def test_the_tooltip_has_all_series_in_the_board_s_zone_and_the_period_before(drawing: Drawing) -> None:
    rows = [[START_MS + at * MINUTE_MS, 5.0, 50.0] for at in range(61)]
    data = frame({"time": "time", "Books": "number", "Games": "number"}, rows)
    shown = panel("timeseries", options={"tooltip": {"mode": "multi", "sort": "desc"}}, defaults={"unit": "currencyUSD"})
    link = override("Books", links=[{"title": "Orders", "url": "/d/explorer?at=${__value.time}"}])
    shown["fieldConfig"]["overrides"].append(link)
    body = drawing.draw(shown, answer(data, previous=[data]), {**CONTEXT, "timezone": "Asia/Tokyo"})
    canvas = body.locator("canvas[role=img]")
    assert canvas.get_attribute("aria-label") == "Made up: 2 series, 61 points, newest Books $5.00, Games $50.00"
    box = body.locator(".u-over").bounding_box()
    assert box
    drawing.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] - 15)
    tip = drawing.page.get_by_role("tooltip")
    tip.wait_for()
    assert tip.locator(".tip-head").inner_text() == "Thu, Nov 27, 09:30"
    text = tip.inner_text()
    assert text.index("Games") < text.index("Books") and "Games, before" in text and "$50.00" in text
    assert body.locator("a.point-link").get_attribute("href") == f"/d/explorer?at={START_MS + 30 * MINUTE_MS}"
    body.locator(".u-over").focus()
    drawing.page.keyboard.press("ArrowRight")
    tip.get_by_text("Thu, Nov 27, 09:31").wait_for()
    drawing.page.keyboard.press("Escape")
    tip.wait_for(state="hidden")


def test_marks_are_named_to_pointer_and_keyboard(drawing: Drawing) -> None:
    body = drawing.draw(panel("timeseries"), answer(minutes(*((at, 5.0) for at in range(61)))), CONTEXT)
    mark = body.get_by_role("button", name="dbt: a run")
    mark.focus()
    drawing.page.keyboard.press("Shift+Tab")
    drawing.page.keyboard.press("Tab")
    drawing.page.get_by_role("tooltip").get_by_text("dbt: a run").wait_for()
    box, over = mark.bounding_box(), body.locator(".u-over").bounding_box()
    assert box and over and abs(box["x"] + box["width"] / 2 - over["x"] - over["width"] / 6) < 2


def test_a_threshold_is_a_line_over_the_whole_width(drawing: Drawing) -> None:
    steps = {"mode": "absolute", "steps": [{"color": "transparent", "value": None}, {"color": "#ff0000", "value": 8}]}
    line = {"thresholds": steps, "custom": {"thresholdsStyle": {"mode": "line"}}}
    data = answer(minutes(*((at, 5.0) for at in range(61))))
    assert len(painted(drawing.draw(panel("timeseries", defaults=line), data))) > 95
    assert not painted(drawing.draw(panel("timeseries", defaults=THRESHOLDS), data))


def test_a_legend_hides_a_series_and_shows_its_figures(drawing: Drawing) -> None:
    rows = [[START_MS + at * MINUTE_MS, 5.0, float(at)] for at in range(61)]
    legend = {"legend": {"showLegend": True, "displayMode": "table", "placement": "bottom", "calcs": ["max", "mean"]}}
    shown = panel("timeseries", options=legend, overrides=[override("x", **RED_OVERRIDE)])
    body = drawing.draw(shown, answer(frame({"time": "time", "x": "number", "y": "number"}, rows)))
    assert body.locator(".legend tbody tr").nth(1).locator("td").all_text_contents() == ["y", "60", "30"]
    assert painted(body)
    body.get_by_role("button", name="x", exact=True).click()
    assert body.get_by_role("button", name="x", exact=True).get_attribute("aria-pressed") == "false"
    assert not painted(body)


def test_five_series_of_two_thousand_points_are_updated_in_place(drawing: Drawing) -> None:
    rows = [[START_MS + at * 1_000, *(10.0 * name + at % 11 for name in range(5))] for at in range(2_000)]
    data = frame({"time": "time", **{f"s{name}": "number" for name in range(5)}}, rows)
    shown = {**panel("timeseries"), "id": 1}
    body = drawing.draw(shown, answer(data, end=START_MS + 2_000_000))
    body.evaluate("body => { body.querySelector('canvas').sameAs = 1; }")
    drawing.again(shown, answer(data, start=START_MS + 500_000, end=START_MS + 1_500_000))
    assert body.evaluate("body => body.querySelector('canvas').sameAs") == 1 and body.locator("canvas").count() == 1
    body.evaluate("body => { body.parentNode.style.width = '420px'; }")
    settle(drawing.page, 100)
    width = body.evaluate("body => body.querySelector('canvas').getBoundingClientRect().width")
    assert width <= 420


@pytest.mark.parametrize(("width", "beside"), [(390, False), (1440, True)])
def test_a_phone_has_no_legend_beside_a_chart(browser: Browser, width: int, beside: bool) -> None:
    drawing = Drawing(browser, width=width)
    legend = {"showLegend": True, "displayMode": "table", "placement": "right", "calcs": ["lastNotNull"]}
    rows = [[START_MS + at * MINUTE_MS, 1.0 + at, 2.0] for at in range(60)]
    made = panel("timeseries", options={"legend": legend})
    body = drawing.draw(made, answer(frame({"time": "time", "kafka": "number", "postgres": "number"}, rows)), width=360)
    chart, names = body.locator(".chart").bounding_box(), body.locator(".legend").bounding_box()
    assert chart and names
    assert (names["x"] >= chart["x"] + chart["width"]) is beside
    assert beside or (chart["width"] > 300 and chart["height"] > 150 and names["y"] >= chart["y"] + chart["height"])
    assert drawing.complaints == []
