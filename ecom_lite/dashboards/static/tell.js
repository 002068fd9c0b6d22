// The fault story: begun by one button, told by the run; its chapters are shown as they come.

import { h } from "./dom.js";
import { inOrder } from "./newest.js";
import { sure } from "./steer.js";
import { ask } from "./token.js";

const $ = (id) => document.getElementById(id);
const NAMES = { load: "the loader", postgres: "PostgreSQL" };
const PARTS = { load: "The process that loads is gone in an instant, in the middle of a batch. The supervisor starts another.", postgres: "The database is gone in an instant, with all its connections. The supervisor starts it again, and it recovers." };

/** On top of the page, while a story is told: the chapter of now. */
function showStep(story) {
  const place = story.chapters.findIndex((chapter) => chapter.state === "now"), line = $("step");
  line.hidden = story.state !== "telling" || place < 0;
  const chapter = story.chapters[place], key = JSON.stringify([place, chapter]);
  if (line.hidden || line.dataset.key === key) return;
  line.dataset.key = key;
  const look = chapter.look ? [" Look at: ", h("a", { href: chapter.link }, chapter.look), "."] : [];
  line.replaceChildren(h("b", {}, `Step ${place + 1} of ${story.chapters.length}: ${chapter.title}. `), chapter.text, ...look);
}

function show(story) {
  const telling = story.state === "telling";
  showStep(story);
  $("story-title").textContent = story.kind === "demo" ? "The demo" : "A story for an audience";
  $("tell").hidden = telling;
  $("tell-end").hidden = !telling;
  $("victim").disabled = telling;
  const select = $("victim");
  if (select.dataset.parts !== story.parts.join()) {
    select.replaceChildren(...story.parts.map((part) => h("option", { value: part }, NAMES[part] ?? part)));
    select.dataset.parts = story.parts.join();
  }
  $("chapters").replaceChildren(...story.chapters.map((chapter) => h("li", { "data-state": chapter.state, "aria-current": chapter.state === "now" ? "step" : null },
    h("b", {}, chapter.title), h("time", {}, chapter.seconds ? `${Math.round(chapter.seconds)} s` : ""), chapter.text ? h("p", {}, chapter.text) : null)));
  const moral = $("moral");
  if (moral.textContent !== story.told) moral.textContent = story.told;
  moral.dataset.closes = story.state === "closed" ? "yes" : story.state === "failed" ? "no" : "";
}

/** Handlers; returns what asks how far the story is. */
export function storyTelling() {
  const asks = inOrder();
  async function wish(body) {
    try {
      const story = await ask("/api/story", { body, secret: true });
      asks()(); // what was asked until now may be of before it
      show(story);
    } catch (error) {
      $("moral").textContent = error.message;
      $("moral").dataset.closes = "no";
      return false;
    }
    return true;
  }
  $("tell").onclick = async () => {
    const part = $("victim").value;
    if (await sure(`Kill ${NAMES[part] ?? part}?`, `${PARTS[part] ?? ""} Then events come late, broken and twice for 30 s, and the shop pauses until all is counted. The broken ones stay as dead letters.`, "Kill it")) wish({ part });
  };
  $("tell-end").onclick = () => wish({ end: true });
  return async () => {
    const news = asks();
    const story = await ask("/api/story");
    if (!news()) return true; // so that it is asked again soon
    if (story.state !== "none" || !$("moral").textContent) show(story);
    return story.state === "telling";
  };
}
