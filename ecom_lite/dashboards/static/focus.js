// Moves the focus between panels: in reading order, or to the next one in a direction.

const shown = (views) => [...views.values()].filter((view) => !view.closed);

/** The panel that has the focus, or holds what has it. */
export const focused = (views) => shown(views).find((view) => view.element.contains(document.activeElement)) ?? null;

function go(view) {
  if (!view) return;
  view.element.focus({ preventScroll: true });
  view.element.scrollIntoView({ block: "nearest" });
}

export function step(views, by) {
  const all = shown(views);
  const at = all.indexOf(focused(views));
  go(at < 0 ? all.at(by > 0 ? 0 : -1) : all[Math.max(0, Math.min(all.length - 1, at + by))]);
}

/** To the nearest panel on that side: `x` or `y` is 1 or -1. */
export function side(views, x, y) {
  const from = focused(views);
  if (!from) return step(views, x + y);
  const middle = ({ left, right, top, bottom }) => [(left + right) / 2, (top + bottom) / 2];
  const at = from.element.getBoundingClientRect();
  const [fromX, fromY] = middle(at);
  let best = null, least = Infinity;
  for (const view of shown(views)) {
    const box = view.element.getBoundingClientRect();
    const beyond = x > 0 ? box.left >= at.right - 1 : x < 0 ? box.right <= at.left + 1 : y > 0 ? box.top >= at.bottom - 1 : box.bottom <= at.top + 1;
    if (!beyond || view === from) continue;
    const [toX, toY] = middle(box);
    // What lies beside counts far less than what lies ahead.
    const distance = Math.abs(toX - fromX) * (x ? 1 : 3) + Math.abs(toY - fromY) * (y ? 1 : 3);
    if (distance < least) [best, least] = [view, distance];
  }
  go(best);
}
