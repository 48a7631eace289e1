// Creates the key beside what is being typed, so that the page need not be left.
"use strict";
for (const form of document.querySelectorAll("form[data-in-place]")) {
  // The script may stand beside several locks of one page.
  form.removeAttribute("data-in-place");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const reply = await fetch(form.action, { method: "POST", body: new FormData(form) });
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const made = page.getElementById("fresh-token");
      if (!reply.ok || !made) {
        throw new Error("no token");
      }
      const note = form.closest(".lock");
      note.classList.add("good");
      note.replaceChildren(made);
      const copy = note.querySelector("button[data-copy]");
      if (navigator.clipboard && copy) {
        copy.hidden = false;
        copy.addEventListener("click", async () => {
          await navigator.clipboard.writeText(note.querySelector(".token").textContent);
          copy.textContent = "Copied";
        });
      }
    } catch {
      form.submit();
    }
  });
}
