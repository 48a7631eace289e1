// Whoever gives a value means to change it. Loaded before the rows are there, so that
// none of them can be touched unheard.
"use strict";
document.addEventListener("input", (event) => {
  const row = event.target.closest(".change-to")?.closest(".change-row");
  if (row) {
    row.querySelector("input[name=change]").checked = true;
  }
});
