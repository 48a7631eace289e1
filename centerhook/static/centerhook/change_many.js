// Whoever gives a value means to change it.
"use strict";
for (const row of document.querySelectorAll(".change-row")) {
  row.querySelector(".change-to").addEventListener("input", () => {
    row.querySelector("input[name=change]").checked = true;
  });
}
