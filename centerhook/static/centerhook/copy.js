// Puts a button to copy its text behind each <pre data-copy>.
"use strict";
for (const text of document.querySelectorAll("pre[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      // Without TLS there is no clipboard: the text is marked, for Ctrl-C.
      window.getSelection().selectAllChildren(text);
      button.textContent = "Press Ctrl-C";
    }
    window.setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  text.after(button);
}
