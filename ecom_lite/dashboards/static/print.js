// Paper: white, a width that fits a sheet, and the charts drawn for it; then all as it was.

let before = null;

/** `redraw()` sizes and draws every panel for the page as it is now. `header()` is what stands above the panels. */
export function printable(redraw, header) {
  const root = document.documentElement;
  const wear = (theme) => {
    root.dataset.theme = theme;
    document.dispatchEvent(new Event("themechange"));
    redraw();
  };
  const begin = () => {
    if (before !== null) return;
    before = root.dataset.theme;
    document.getElementById("printed").textContent = header();
    root.classList.add("printing");
    wear("light");
  };
  const end = () => {
    if (before === null) return;
    root.classList.remove("printing");
    wear(before);
    before = null;
  };
  addEventListener("beforeprint", begin);
  addEventListener("afterprint", end);
  matchMedia("print").addEventListener("change", ({ matches }) => (matches ? begin() : end()));
}
