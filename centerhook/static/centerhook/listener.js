// The form of a listener: only the fields that a choice needs, and locations in a call that
// are clicked in an example.
"use strict";
(() => {
  const root = document.getElementById("listener-form");
  if (!root) {
    return;
  }
  const form = root.closest("form");
  const lost = "The server did not respond. You may have been signed out: open CenterHook in another tab, then go on here.";

  // Fields that depend on a choice
  const showFields = (box) => {
    for (const field of box.querySelectorAll("[data-when]")) {
      const within = field.closest(".inline-related") || form;
      const choice = within.querySelector(`[data-switch="${field.dataset.when}"]`);
      const row = field.closest(".form-row");
      if (choice && row) {
        row.hidden = !field.dataset.values.split(" ").includes(choice.value);
      }
    }
  };
  form.addEventListener("change", ({ target: element }) => {
    if (element.matches("[data-switch]")) {
      showFields(element.closest(".inline-related") || form);
    }
  });
  document.addEventListener("formset:added", () => showFields(form));
  showFields(form);

  // Locations from an example
  const chosen = document.getElementById("example-call");
  const tree = document.getElementById("example-tree");
  const box = root.querySelector(".example-call .needs-script");
  if (box) {
    box.hidden = false;
    root.classList.add("is-live");
  }
  if (!chosen || !tree) {
    return;
  }
  const message = root.querySelector(".example-message");
  let field = null;
  let asking = null;

  document.addEventListener("focusin", ({ target: element }) => {
    if (element.matches("[data-location], [data-template]") && form.contains(element) && !tree.contains(element)) {
      field = element;
    }
  });

  // Where one call brings several events, the other locations begin at an event.
  const fromEvent = (location) => {
    const list = form.elements.events_at?.value.trim();
    if (!list || field.name === "events_at" || !location.startsWith(`${list}[`)) {
      return location;
    }
    return `$${location.slice(location.indexOf("]", list.length) + 1)}`;
  };

  const insert = (location) => {
    if (!field || !field.isConnected) {
      message.textContent = "Click in the field that the location belongs in first.";
      return;
    }
    message.textContent = "";
    const place = fromEvent(location);
    const [start, end, text] = field.matches("[data-location]")
      ? [0, field.value.length, place]
      : [field.selectionStart, field.selectionEnd, `((Payload: ${place}))`];
    field.focus();
    field.setSelectionRange(start, end);
    // Like typing, so that it can be undone.
    if (!document.execCommand("insertText", false, text)) {
      field.setRangeText(text, start, end, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  const load = async () => {
    asking?.abort();
    asking = new AbortController();
    message.textContent = "";
    if (!chosen.value) {
      tree.replaceChildren();
      return;
    }
    const url = `${root.dataset.example}?call=${encodeURIComponent(chosen.value)}`;
    try {
      const response = await fetch(url, { headers: { Accept: "application/json" }, signal: asking.signal });
      if (!response.ok) {
        throw new Error(response.status);
      }
      tree.innerHTML = (await response.json()).html;
    } catch (error) {
      if (error.name !== "AbortError") {
        message.textContent = lost;
      }
    }
  };

  chosen.addEventListener("change", load);
  tree.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) {
      insert(button.dataset.location);
    }
  });
})();
