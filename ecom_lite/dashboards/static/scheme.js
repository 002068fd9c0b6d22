// Dark or light, before the first paint: a plain script in the head of each page. What was picked stands in localStorage.

(() => {
  const prefersLight = matchMedia("(prefers-color-scheme: light)");
  const picked = () => {
    try {
      return localStorage.getItem("ecom_lite.theme");
    } catch {
      return null; // storage is switched off: the system's preference it is
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
  document.addEventListener("themepicked", apply);
})();
