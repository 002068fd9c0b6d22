// Says in one line what just happened, to eyes and to screen readers; never by itself, only on what somebody did or lost.

const SHOWN_MS = 3500;
let timer;

export function say(text) {
  const line = document.getElementById("said");
  line.textContent = text;
  line.classList.add("shown");
  clearTimeout(timer);
  timer = setTimeout(() => {
    line.classList.remove("shown");
    line.textContent = "";
  }, SHOWN_MS);
}
