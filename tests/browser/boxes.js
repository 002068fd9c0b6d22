// Measures a drawn page: where each text stands, and what is cut, on top of another, outside of its panel or too small to read.
// Loaded before the page's own scripts, so that it hears what they write on a canvas.
(() => {
  const written = new WeakMap(); // canvas -> texts since it was last wiped
  const brush = CanvasRenderingContext2D.prototype;
  const { fillText, clearRect } = brush;
  brush.fillText = function (text, x, y, ...rest) {
    const { a, b, c, d, e, f } = this.getTransform();
    const box = this.measureText(text);
    const [left, right] = [x - box.actualBoundingBoxLeft, x + box.actualBoundingBoxRight];
    const [top, bottom] = [y - box.actualBoundingBoxAscent, y + box.actualBoundingBoxDescent];
    const quad = [[left, top], [right, top], [right, bottom], [left, bottom]].map(([px, py]) => [a * px + c * py + e, b * px + d * py + f]);
    const { canvas } = this;
    const kept = written.get(canvas);
    const fresh = kept && kept.width === canvas.width && kept.height === canvas.height ? kept : { width: canvas.width, height: canvas.height, texts: [] };
    fresh.texts.push({ text: String(text), quad, size: parseFloat(/([\d.]+)px/.exec(this.font)?.[1] ?? "0") * Math.hypot(a, b) });
    written.set(canvas, fresh);
    return fillText.call(this, text, x, y, ...rest);
  };
  brush.clearRect = function (x, y, width, height) {
    if (width >= this.canvas.width * 0.99 && height >= this.canvas.height * 0.99) written.delete(this.canvas);
    return clearRect.call(this, x, y, width, height);
  };

  const rectQuad = ({ left, top, right, bottom }) => [[left, top], [right, top], [right, bottom], [left, bottom]];
  const bounds = (quad) => ({ left: Math.min(...quad.map((p) => p[0])), right: Math.max(...quad.map((p) => p[0])), top: Math.min(...quad.map((p) => p[1])), bottom: Math.max(...quad.map((p) => p[1])) });
  const hidden = (element) => !element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });
  // For screen readers only: one pixel, clipped.
  const spoken = (element) => { for (let at = element; at; at = at.parentElement) { const { width, height } = at.getBoundingClientRect(); if (width <= 1.5 && height <= 1.5 && getComputedStyle(at).position === "absolute") return true; } return false; };
  const SKIPPED = new Set(["SCRIPT", "STYLE", "NOSCRIPT", "TEMPLATE", "OPTION", "title", "desc"]);

  /** The boxes of one text: of glyphs, not of lines, so that close lines are apart. */
  function boxesOf(node, element) {
    const drawn = element.closest("text");
    if (drawn instanceof SVGTextElement) {
      const { x, y, width, height } = drawn.getBBox();
      const matrix = drawn.getScreenCTM();
      if (!matrix || !width) return [];
      const inset = height * 0.18;
      const quad = [[x, y + inset], [x + width, y + inset], [x + width, y + height - inset], [x, y + height - inset]].map(([px, py]) => { const p = new DOMPoint(px, py).matrixTransform(matrix); return [p.x, p.y]; });
      return [{ quad, size: parseFloat(getComputedStyle(drawn).fontSize) * Math.hypot(matrix.a, matrix.b) }];
    }
    const range = document.createRange();
    range.selectNodeContents(node);
    const size = parseFloat(getComputedStyle(element).fontSize);
    return [...range.getClientRects()].filter((rect) => rect.width > 0.5).map((rect) => {
      const inset = Math.max(0, (rect.height - size * 0.8) / 2);
      return { quad: rectQuad({ left: rect.left, right: rect.right, top: rect.top + inset, bottom: rect.bottom - inset }), size };
    });
  }

  /** What ancestors do to a box: "seen", "scrolled" (out of sight, or partly, but can be scrolled to), or how it is cut. */
  function fate(element, box, region) {
    const { left, right, top, bottom } = bounds(box.quad);
    let scrolled = "";
    for (let at = element; at && at !== region.parentElement; at = at.parentElement) {
      const { overflowX, overflowY, textOverflow } = getComputedStyle(at);
      const edge = at.getBoundingClientRect();
      const wide = left < edge.left - 1 || right > edge.right + 1;
      const high = top < edge.top - 1 || bottom > edge.bottom + 1;
      const shortened = textOverflow === "ellipsis" && overflowX !== "visible" && at.scrollWidth > at.clientWidth + 1 && at.clientWidth > 0;
      if (shortened && !scrolled) return at.closest("[title]")?.title.includes(element.textContent.trim()) ? "shortened" : "cut at the side (…)";
      if (wide && ["auto", "scroll"].includes(overflowX)) scrolled ||= "sideways";
      if (high && ["auto", "scroll"].includes(overflowY)) scrolled = scrolled === "sideways" ? scrolled : "down";
      if (scrolled) continue;
      if (wide && ["hidden", "clip"].includes(overflowX)) return "cut at the side";
      if (high && ["hidden", "clip"].includes(overflowY)) return "cut at the top or bottom";
    }
    return scrolled ? `scrolled ${scrolled}` : "seen";
  }

  function textsIn(region) {
    const found = [];
    const walker = document.createTreeWalker(region, NodeFilter.SHOW_TEXT);
    const done = new Set();
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || SKIPPED.has(element.tagName) || hidden(element) || spoken(element)) continue;
      const owner = element.closest("text") ?? node;
      if (done.has(owner)) continue;
      done.add(owner);
      for (const box of boxesOf(node, element)) found.push({ ...box, owner, text: (owner.textContent ?? node.data).trim(), fate: fate(element, box, region) });
    }
    for (const canvas of region.querySelectorAll("canvas")) {
      const kept = written.get(canvas);
      if (!kept || hidden(canvas)) continue;
      const rect = canvas.getBoundingClientRect();
      const scale = rect.width / canvas.width;
      const edge = { left: rect.left, right: rect.right, top: rect.top, bottom: rect.bottom };
      for (const { text, quad, size } of kept.texts) {
        const placed = quad.map(([x, y]) => [rect.left + x * scale, rect.top + y * scale]);
        const box = bounds(placed);
        const cut = box.left < edge.left - 1 || box.right > edge.right + 1 || box.top < edge.top - 1 || box.bottom > edge.bottom + 1;
        if (text.trim()) found.push({ quad: placed, size: size * scale, owner: {}, text, fate: cut ? "cut at the edge of its chart" : fate(canvas, { quad: placed }, region) });
      }
    }
    return found;
  }

  /** How far two convex quads are into one another, in pixels along the axis where it is least; 0 or less: apart. */
  function depth(one, other) {
    let least = Infinity;
    for (const quad of [one, other]) {
      for (let i = 0; i < 4; i += 1) {
        const [x, y] = [quad[(i + 1) % 4][0] - quad[i][0], quad[(i + 1) % 4][1] - quad[i][1]];
        const length = Math.hypot(x, y);
        if (!length) continue;
        const along = (p) => (p[0] * -y + p[1] * x) / length;
        const [a, b] = [one.map(along), other.map(along)];
        least = Math.min(least, Math.min(Math.max(...a), Math.max(...b)) - Math.max(Math.min(...a), Math.min(...b)));
        if (least <= 0) return 0;
      }
    }
    return least;
  }

  /** Findings of the whole page: {where, what, text}. `options`: least font size in px, whether sideways scrolling or … is allowed. */
  globalThis.measureBoxes = ({ leastPx, narrow }) => {
    const found = [];
    const say = (where, what, text) => found.push({ where, what, text: text.slice(0, 80) });
    const named = (region) => region.querySelector("h2")?.textContent.trim() || region.getAttribute("aria-label") || region.id || region.className || region.tagName;
    const panels = [...document.querySelectorAll(".panel")].filter((panel) => !hidden(panel));
    const around = [...document.body.children].filter((each) => each.tagName !== "MAIN" && !["SCRIPT", "DIALOG", "NOSCRIPT"].includes(each.tagName) && !hidden(each));
    for (const region of [...around, ...panels]) {
      const where = named(region);
      const edge = region.getBoundingClientRect();
      const texts = textsIn(region);
      const seen = texts.filter(({ fate: how }) => how === "seen" || how === "shortened");
      for (const { text, fate: how, size } of texts) {
        if (how.startsWith("cut")) say(where, how, text);
        if (how === "shortened" && !narrow) say(where, "shortened with …", text);
        if (how === "scrolled sideways" && !narrow) say(where, "only in sight after scrolling sideways", text);
        if (size < leastPx) say(where, `${size.toFixed(1)} px high`, text);
      }
      for (const { quad, text } of seen) {
        const { left, right, top, bottom } = bounds(quad);
        if (left < edge.left - 1 || right > edge.right + 1 || top < edge.top - 1 || bottom > edge.bottom + 1) say(where, "outside of its panel", text);
      }
      seen.forEach((one, index) => {
        for (const other of seen.slice(index + 1)) {
          if (one.owner !== other.owner && depth(one.quad, other.quad) > 2) say(where, "lies over another text", `${one.text} | ${other.text}`);
        }
      });
    }
    panels.forEach((one, index) => {
      for (const other of panels.slice(index + 1)) {
        if (depth(rectQuad(one.getBoundingClientRect()), rectQuad(other.getBoundingClientRect())) > 1) say(named(one), "lies over another panel", named(other));
      }
    });
    const page = document.documentElement;
    if (page.scrollWidth > innerWidth + 1) say("page", `${page.scrollWidth} px wide in a window of ${innerWidth}`, "");
    return found;
  };

  /** Of each panel what stands in it: {id: {state, texts, marks}}; marks are shapes, cells and painted canvases. */
  globalThis.readPanels = () => Object.fromEntries([...document.querySelectorAll(".panel")].map((panel) => {
    const body = panel.querySelector(".body");
    const painted = [...body.querySelectorAll("canvas")].filter((canvas) => canvas.width && canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value)).length;
    const marks = painted + body.querySelectorAll("svg path, svg rect, svg polyline, svg polygon, svg circle, td, .value, .fill, .bar, .slice, .cell, .block, [role=img], p, h3").length;
    const tables = [...body.querySelectorAll("table")].map((table) => ({ head: [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim()), rows: [...table.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent.trim())) }));
    return [panel.dataset.panel, { state: panel.dataset.state, texts: textsIn(body).map(({ text }) => text), marks, tables }];
  }));
})();
