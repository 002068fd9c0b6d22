// The buttons that change something: the shop's pause, rate and faults, the marts. Each needs the token; what matters is asked twice.

import { number } from "./chain.js";
import { h } from "./dom.js";
import { ask, send } from "./token.js";

const RATES = [1, 5, 20, 50, 200, 1000, 5000];
const WORDS = { natural: "natural, by its own clock", max: "max, as fast as it goes" };
const QUICK = 1000; // orders a second from which it is asked twice
const $ = (id) => document.getElementById(id);

/** True when the viewer says so. */
export function sure(title, text, verb) {
  const dialog = $("sure");
  $("sure-title").textContent = title;
  $("sure-text").textContent = text;
  $("sure-yes").textContent = verb;
  return new Promise((resolve) => {
    const end = (answer) => { dialog.onclose = null; dialog.close(); resolve(answer); };
    $("sure-yes").onclick = () => end(true);
    $("sure-no").onclick = () => end(false);
    dialog.onclose = () => resolve(false); // Escape
    dialog.showModal();
    $("sure-no").focus();
  });
}

export function say(text, wrong = false) {
  const line = $("done");
  line.textContent = text;
  line.toggleAttribute("data-wrong", wrong);
}

async function change(wish, text) {
  try {
    say("…");
    const now = await ask("/api/control", { body: wish, secret: true });
    say(now.applied ? text : `${text} The producer takes it over in a moment.`);
  } catch (error) {
    say(error.message, true);
  }
}

const percent = (share) => `${number(share * 100, 1)} %`;
const named = (name) => name.replaceAll("_", " ");

async function refresh(full) {
  const buttons = [$("refresh"), $("refresh-full")];
  buttons.forEach((button) => { button.disabled = true; });
  try {
    say("asking dbt …");
    const answer = await send("/api/refresh", { body: { full }, secret: true });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines.filter(Boolean)) {
        const told = JSON.parse(line);
        if (told.error) say(told.error, true);
        else if (told.run) say(`The marts are built: ${told.run.status}, ${number(told.run.seconds, 1)} s.`, told.run.status.includes("fail") || told.run.status === "error");
        else say(told.said);
      }
    }
  } catch (error) {
    say(error.message, true);
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

function sliders(words) {
  if ($("faults").childElementCount) return;
  for (const [name, text] of Object.entries(words)) {
    const shown = h("output", { for: `fault-${name}` }, "0 %");
    const slider = h("input", { type: "range", id: `fault-${name}`, name, min: 0, max: 50, step: 1, value: 0, oninput: () => { shown.textContent = `${slider.value} %`; slider.dataset.touched = "yes"; } });
    $("faults").append(h("label", { for: `fault-${name}` }, named(name), h("small", {}, text)), slider, shown);
  }
}

const inputs = () => [...$("faults").querySelectorAll("input")];

/** What a slider stands for: where nobody has moved it the share in force, which it may have no place for (0.4 %). */
const shareOf = (slider, shop) => (slider.dataset.touched ? Number(slider.value) / 100 : shop?.faults[slider.name] ?? 0);

/** The buttons' handlers; returns what shows the state of now in them. */
export function steering() {
  let shop = null;
  $("pause").onclick = () => (shop?.paused ? change({ paused: false }, "The shop sells again.") : change({ paused: true }, "The shop is paused; all other parts go on."));
  $("rate").onchange = async () => {
    const picked = $("rate").value, value = picked in WORDS ? picked : Number(picked);
    const quick = value === "max" || value >= QUICK;
    if (quick && !(await sure(`${value === "max" ? "As fast as it goes" : `${number(value)} orders a second`}?`, "This fills the disk at some 1 GB in a few million events, and takes all cores of this machine.", "Let it run"))) {
      $("rate").value = String(shop?.rate ?? "");
      return;
    }
    change({ rate: value }, `The shop's rate: ${WORDS[value] ?? `${number(value)} orders a second`}.`);
  };
  $("fault-apply").onclick = async () => {
    const faults = Object.fromEntries(inputs().map((slider) => [slider.name, shareOf(slider, shop)]));
    const on = Object.entries(faults).filter(([, share]) => share);
    const list = on.map(([name, share]) => `${named(name)} ${percent(share)}`).join(", ");
    if (on.length && !(await sure("Switch these faults on?", `Of the shop's events: ${list}. They stay in the data for good, counted by kind; until all are off again.`, "Switch them on"))) return;
    inputs().forEach((slider) => delete slider.dataset.touched);
    if (shop) shop.faults = faults; // until the next answer says so
    change({ faults }, on.length ? `On purpose: ${list}.` : "All faults are off.");
  };
  $("fault-off").onclick = () => {
    inputs().forEach((slider) => delete slider.dataset.touched);
    if (shop) shop.faults = {};
    change({ faults: Object.fromEntries(inputs().map((slider) => [slider.name, 0])) }, "All faults are off.");
  };
  $("refresh").onclick = () => refresh(false);
  $("refresh-full").onclick = async () => {
    if (await sure("Build all marts anew?", "dbt reads every fact again. With millions of facts this takes a minute or more; the boards keep the old marts meanwhile.", "Build them")) refresh(true);
  };
  return (status) => {
    shop = status.shop;
    $("shop-controls").hidden = !shop;
    sliders(status.faults);
    if (!shop) return;
    $("pause").textContent = shop.paused ? "Let the shop sell again" : "Pause the shop";
    const values = [...new Set([shop.rate, "natural", ...RATES, "max"].filter((value) => value !== null).map(String))];
    const select = $("rate");
    if (document.activeElement !== select) {
      if (select.dataset.values !== values.join()) {
        select.replaceChildren(...values.map((value) => h("option", { value }, WORDS[value] ?? number(Number(value), 2))));
        select.dataset.values = values.join();
      }
      if (shop.rate !== null) select.value = String(shop.rate);
    }
    for (const slider of inputs()) {
      if (slider.dataset.touched) continue;
      slider.value = Math.round((shop.faults[slider.name] ?? 0) * 100);
      slider.nextElementSibling.textContent = percent(shop.faults[slider.name] ?? 0);
    }
    const on = Object.entries(shop.faults);
    $("fault-words").textContent = on.length ? `· ${on.map(([name, share]) => `${named(name)} ${percent(share)}`).join(", ")}` : "· none";
  };
}
