// Paper: white, a width that fits a sheet, and the charts drawn for it; then all as it was.

let before = null;

/** `redraw()` sizes and draws every panel for the page as it is now. `header()` is what stands above the panels. */
export function printable(redraw, header) {
  const root = document.documentElement;
  const begin = () => {
    if (before !== null) return;
    before = root.dataset.theme;
    document.getElementById("printed").textContent = header();
    root.dataset.theme = "light";
    root.classList.add("printing");
    redraw();
  };
  const end = () => {
    if (before === null) return;
    root.dataset.theme = before;
    before = null;
    root.classList.remove("printing");
    redraw();
  };
  addEventListener("beforeprint", begin);
  addEventListener("afterprint", end);
  matchMedia("print").addEventListener("change", ({ matches }) => (matches ? begin() : end()));
}
