// Light or dark before the first paint: the person's choice, else the system's. A classic script, so that it blocks.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const apply = () => {
    document.documentElement.dataset.bsTheme = stored() || (system.matches ? "dark" : "light");
    document.dispatchEvent(new Event("themechange"));
  };
  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    const next = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
    const isSystem = next === (system.matches ? "dark" : "light");
    // Choosing what the system says anyway means following it again.
    try { isSystem ? localStorage.removeItem("theme") : localStorage.setItem("theme", next); } catch { /* private mode */ }
    document.documentElement.dataset.bsTheme = next;
    document.dispatchEvent(new Event("themechange"));
  });
})();
