// Keeps the page of a run or a delivery up to date until it is settled.
"use strict";
(() => {
  const box = document.getElementById("progress");
  if (!box || box.dataset.settled === "yes") {
    return;
  }
  const refresh = async () => {
    try {
      const response = await fetch(box.dataset.url, { headers: { Accept: "application/json" } });
      if (response.ok) {
        const progress = await response.json();
        if (progress.state !== box.dataset.state) {
          // The page offers other actions then.
          window.location.reload();
          return;
        }
        box.innerHTML = progress.html;
      }
    } catch {
      // The server is away for a moment; the next try may reach it.
    }
    window.setTimeout(refresh, document.hidden ? 10000 : 1000);
  };
  window.setTimeout(refresh, 500);
})();
