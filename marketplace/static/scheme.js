// Sets the kept colour scheme before the first paint. Blocking on purpose, and no module for that.
(() => {
  try {
    const kept = localStorage.getItem("scheme");
    if (kept === "light" || kept === "dark") document.documentElement.dataset.scheme = kept;
  } catch {
    // Storage is refused to this page: the system's scheme stays.
  }
})();
