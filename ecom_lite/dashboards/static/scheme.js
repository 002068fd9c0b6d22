// Dark or light, before the first paint: a plain script in the head of each page. What was picked stands in localStorage.

(() => {
  const prefersLight = matchMedia("(prefers-color-scheme: light)");
  let kept = null; // what was picked on this page; before that the system's preference it is
  const picked = () => {
    try {
      return localStorage.getItem("ecom_lite.theme");
    } catch {
      return kept; // storage is switched off
    }
  };
  const apply = () => {
    const theme = ["dark", "light"].includes(picked()) ? picked() : prefersLight.matches ? "light" : "dark";
    if (document.documentElement.dataset.theme === theme) return;
    document.documentElement.dataset.theme = theme;
    document.dispatchEvent(new Event("themechange"));
  };
  apply();
  prefersLight.addEventListener("change", apply);
  addEventListener("storage", apply); // picked in another tab
  document.addEventListener("themepicked", ({ detail }) => {
    kept = detail;
    apply();
  });
})();
