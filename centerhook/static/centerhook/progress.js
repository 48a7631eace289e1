// Keeps the page of a run or a delivery up to date until it is settled.
"use strict";
(() => {
  const box = document.getElementById("progress");
  if (!box || box.dataset.settled === "yes") {
    return;
  }
  const refresh = async () => {
    try {
      const answer = await fetch(box.dataset.url, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const progress = await answer.json();
        if (progress.state !== box.dataset.state) {
          // What can be done with it has changed too.
          window.location.reload();
          return;
        }
        box.innerHTML = progress.html;
      }
    } catch {
      // The server is away for a moment; the next try may find it.
    }
    window.setTimeout(refresh, document.hidden ? 10000 : 1000);
  };
  window.setTimeout(refresh, 500);
})();
