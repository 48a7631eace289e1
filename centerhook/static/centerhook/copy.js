// Buttons that copy the text of another element; hidden where that can't be done.
"use strict";
(() => {
  const offer = () => {
    for (const button of document.querySelectorAll("button[data-copy][hidden]")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
        button.textContent = "Copied";
      });
    }
  };
  if (navigator.clipboard) {
    offer();
    // What a page shows anew has buttons of its own.
    document.addEventListener("progress", offer);
  }
})();
