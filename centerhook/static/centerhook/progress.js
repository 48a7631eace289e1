// Keeps the page of a run or a delivery up to date until it is settled.
"use strict";
(() => {
  const box = document.getElementById("progress");
  if (!box || box.dataset.settled === "yes") {
    return;
  }
  const standing = document.getElementById("standing");
  let shown = "";
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
        // What somebody has opened to read stays as it is until there is news.
        if (progress.html !== shown) {
          box.innerHTML = shown = progress.html;
          document.dispatchEvent(new Event("progress"));
        }
        if (standing && standing.innerHTML !== progress.standing) {
          standing.innerHTML = progress.standing;
        }
      }
    } catch {
      // The server is away for a moment; the next try may reach it.
    }
    window.setTimeout(refresh, document.hidden ? 10000 : 1000);
  };
  window.setTimeout(refresh, 500);
})();
