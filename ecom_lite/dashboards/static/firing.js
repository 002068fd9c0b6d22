// How many alerts fire, in the bar of every board; it leads to the start page, which says which and what to do.

/** `alerts`: [{title, severity}] of those that fire. Hidden where none does, or none is known. */
export function drawFiring(element, alerts = []) {
  const text = `${alerts.length} ${alerts.length === 1 ? "alert" : "alerts"}`;
  element.hidden = alerts.length === 0;
  element.classList.toggle("critical", alerts.some((alert) => alert.severity === "critical"));
  if (element.lastElementChild.textContent !== text) element.lastElementChild.textContent = text;
  element.title = alerts.map((alert) => alert.title).join("\n");
}
