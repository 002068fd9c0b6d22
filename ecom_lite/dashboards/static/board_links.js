// Links of boards and panels: their variables filled in as in data links, and what a board's link keeps of what is shown.

import { linkOf } from "./links.js";

/** The address of a board's or a panel's link, or null where it is none of http. */
export const addressOf = (link, state) => linkOf({ links: [{ title: link.title, url: link.url ?? "" }] }, {}, state)?.href ?? null;

/** A board's links as [{title, href, blank, tooltip}]; one of type `dashboards` stands for all other boards with its tags. */
export function boardLinks(board, boards, state) {
  return (board.links ?? []).flatMap((link) => {
    const kept = [link.keepTime ? "${__url_time_range}" : "", link.includeVars ? "${__all_variables}" : ""].filter(Boolean).join("&");
    const tagged = (each) => each.uid !== board.uid && (link.tags ?? []).every((tag) => (each.tags ?? []).includes(tag));
    const targets = link.type === "dashboards" ? boards.filter(tagged).map((each) => [each.title, `/d/${each.uid}`]) : [[link.title, link.url ?? ""]];
    return targets.map(([title, url]) => {
      const href = addressOf({ title, url: kept ? `${url}${url.includes("?") ? "&" : "?"}${kept}` : url }, state);
      return href && { title, href, blank: Boolean(link.targetBlank), tooltip: link.tooltip };
    }).filter(Boolean);
  });
}
