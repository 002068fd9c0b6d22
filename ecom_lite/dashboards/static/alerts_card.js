// The card of the start page that shows the alerts: asked again and again, drawn anew where they have changed.
import { drawAlerts, loadAlerts } from "./alerts.js";

const EVERY_MS = 5000;
const card = document.getElementById("alerts");
let drawn = "";

async function look() {
  if (!document.hidden) {
    try {
      const alerts = await loadAlerts();
      const now = JSON.stringify(alerts.map(({ at, ...rest }) => rest));
      if (now !== drawn) drawAlerts(card, alerts);
      drawn = now;
    } catch { /* the page says itself that it is not connected */ }
  }
  setTimeout(look, EVERY_MS);
}

look();
