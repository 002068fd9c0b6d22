// Links of boards and panels: Grafana's variables in their addresses, and what a board's link keeps of what is shown.

const timeRange = (state) => `from=${encodeURIComponent(state.from)}&to=${encodeURIComponent(state.to)}`;
const allVariables = (state) => Object.keys(state.variables).map((name) => variable(state, name)).filter(Boolean).join("&");

const variable = (state, name) => (state.variables[name] ?? []).map((value) => `var-${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");

/** `url` with `${__url_time_range}`, `${__all_variables}`, `${__from}`, `${__to}`, `${name}` and `${name:queryparam}` filled in; null when it is none of http. */
export function fillLink(url, state) {
  const filled = url.replace(/\$\{(\w+)(?::(\w+))?\}/g, (_, name, as) => {
    if (name === "__url_time_range") return timeRange(state);
    if (name === "__all_variables") return allVariables(state);
    if (name === "__from" || name === "__to") return encodeURIComponent(state[name.slice(2)]);
    if (as === "queryparam") return variable(state, name);
    return encodeURIComponent((state.variables[name] ?? []).join(","));
  });
  return ["http:", "https:"].includes(URL.parse(filled, location)?.protocol) ? filled : null;
}

/** A board's links as [{title, href, blank, tooltip}]; one of type `dashboards` stands for all other boards with its tags. */
export function boardLinks(board, boards, state) {
  return (board.links ?? []).flatMap((link) => {
    const kept = [link.keepTime ? timeRange(state) : "", link.includeVars ? allVariables(state) : ""].filter(Boolean).join("&");
    const tagged = (each) => each.uid !== board.uid && (link.tags ?? []).every((tag) => (each.tags ?? []).includes(tag));
    const targets = link.type === "dashboards" ? boards.filter(tagged).map((each) => [each.title, `/d/${each.uid}`]) : [[link.title, link.url ?? ""]];
    return targets.map(([title, url]) => {
      const href = fillLink(url, state);
      return href === null ? null : { title, href: kept ? `${href}${href.includes("?") ? "&" : "?"}${kept}` : href, blank: Boolean(link.targetBlank), tooltip: link.tooltip };
    }).filter(Boolean);
  });
}
