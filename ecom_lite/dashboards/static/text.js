// Text panels: a small subset of Markdown as elements. No HTML goes through.

import { h } from "./dom.js";

const INLINE = /(`[^`]+`)|(\*\*[^*]+\*\*)|(\*[^*\s][^*]*\*|_[^_\s][^_]*_)|(\[[^\]]+\]\([^)\s]+\))/;
const SAFE = /^(\/(?![/\\])|https?:\/\/|#)/;

export function drawText(panel, _answer, body) {
  body.replaceChildren(h("div", { class: "prose" }, ...(panel.options.mode === "code" ? [h("pre", {}, panel.options.content ?? "")] : blocks(panel.options.content ?? ""))));
}

function blocks(source) {
  return source.replace(/\r/g, "").split(/\n\s*\n/).filter((block) => block.trim()).flatMap((block) => {
    const lines = block.split("\n").filter((line) => line.trim());
    const heading = /^(#{1,4})\s+(.*)/.exec(lines[0]);
    if (heading) return [h(`h${heading[1].length + 2}`, {}, ...inline(heading[2])), ...(lines.length > 1 ? blocks(lines.slice(1).join("\n")) : [])];
    if (lines.every((line) => /^\s*[-*]\s+/.test(line))) return [h("ul", {}, ...lines.map((line) => h("li", {}, ...inline(line.replace(/^\s*[-*]\s+/, "")))))];
    if (lines.every((line) => /^\s*\d+[.)]\s+/.test(line))) return [h("ol", {}, ...lines.map((line) => h("li", {}, ...inline(line.replace(/^\s*\d+[.)]\s+/, "")))))];
    return [h("p", {}, ...lines.flatMap((line, at) => [...(at ? [/ {2}$/.test(lines[at - 1]) ? h("br") : " "] : []), ...inline(line.trim())]))];
  });
}

function inline(text) {
  const found = INLINE.exec(text);
  if (!found) return text ? [text] : [];
  const [whole] = found;
  const rest = inline(text.slice(found.index + whole.length));
  return [...(found.index ? [text.slice(0, found.index)] : []), ...styled(whole, found), ...rest];
}

function styled(whole, [, code, bold, slanted]) {
  if (code) return [h("code", {}, whole.slice(1, -1))];
  if (bold) return [h("strong", {}, ...inline(whole.slice(2, -2)))];
  if (slanted) return [h("em", {}, ...inline(whole.slice(1, -1)))];
  const [, label, href] = /^\[([^\]]+)\]\(([^)\s]+)\)$/.exec(whole);
  return SAFE.test(href) ? [h("a", { href, rel: "noopener" }, ...inline(label))] : inline(label);
}
