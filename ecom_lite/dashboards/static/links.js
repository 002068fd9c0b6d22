// Data links: Grafana's ${...} in a field's link becomes an address of this page. Only addresses of this page or http(s) are links.

import { svg, h } from "./dom.js";

const ALL = "$__all";

/** The first link of a field for one value, as {href, title, target}, or null. `at` is {frame, row, column, text, series, time}. */
export function linkOf(settings, at, context = {}) {
  const link = settings.links?.[0];
  if (!link) return null;
  const href = fill(link.url, at, context, true);
  if (!/^(\/(?![/\\])|https?:\/\/)/.test(href)) return null;
  return { href, title: fill(link.title ?? "", at, context, false), target: link.targetBlank ? "_blank" : null };
}

function fill(text, at, context, encoded) {
  const write = (value) => (encoded ? encodeURIComponent(value ?? "") : String(value ?? ""));
  return String(text).replace(/\$\{([^}]+)\}|\$(__url_time_range|__all_variables|__from|__to)/g, (whole, braced, bare) => {
    const name = braced ?? bare;
    const field = /^__data\.fields(?:\["([^"]+)"\]|\['([^']+)'\]|\[(\d+)\]|\.([^:]+))/.exec(name);
    if (field) {
      const columns = at.frame?.columns ?? [];
      const index = field[3] !== undefined ? Number(field[3]) : columns.findIndex((column) => column.name === (field[1] ?? field[2] ?? field[4]));
      return write(at.frame?.rows[at.row]?.[index]);
    }
    switch (name) {
      case "__value.raw": case "__value.numeric": return write(at.frame?.rows[at.row]?.[at.column]);
      case "__value.text": return write(at.text);
      case "__value.time": return write(at.time ?? at.frame?.rows[at.row]?.[at.frame.columns.findIndex((column) => column.kind === "time")]);
      case "__series.name": case "__field.name": return write(at.series ?? at.frame?.columns[at.column]?.name);
      case "__from": return write(range(context).from);
      case "__to": return write(range(context).to);
      case "__url_time_range": return `from=${encodeURIComponent(range(context).from)}&to=${encodeURIComponent(range(context).to)}`;
      case "__all_variables": return Object.keys(context.variables ?? {}).map((each) => asQuery(each, context)).filter(Boolean).join("&");
      default: return variable(name, context, write) ?? whole;
    }
  });
}

function range(context) {
  const address = new URL(location).searchParams;
  return { from: context.from ?? address.get("from") ?? "now-6h", to: context.to ?? address.get("to") ?? "now" };
}

const valuesOf = (name, context) => [context.variables?.[name] ?? []].flat();

function asQuery(name, context) {
  return valuesOf(name, context).map((value) => `var-${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
}

/** `${category:queryparam}` is `var-category=A&var-category=B`; `${category}` its values; null for no variable of the board. */
function variable(name, context, write) {
  const [base, format] = name.split(":");
  if (!(base in (context.variables ?? {}))) return null;
  if (format === "queryparam") return asQuery(base, context);
  const values = valuesOf(base, context);
  return write(values.includes(ALL) ? ALL : values.join(","));
}

/** `content` in a real link, or alone where there is none. */
export function linked(link, ...content) {
  if (!link) return content.length === 1 ? content[0] : h("span", {}, ...content);
  return h("a", { class: "datalink", href: link.href, title: link.title || null, target: link.target, rel: link.target ? "noopener" : null }, ...content);
}

export function linkedSvg(link, shape, label) {
  if (!link) return shape;
  return svg("a", { class: "datalink", href: link.href, target: link.target, "aria-label": [link.title, label].filter(Boolean).join(": ") }, shape);
}
