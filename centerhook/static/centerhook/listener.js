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

  // What the two parts of "Try it" ask; the reply to an older question is not shown.
  const asker = () => {
    let asking = null;
    return async (url, options, show) => {
      asking?.abort();
      asking = new AbortController();
      const headers = { Accept: "application/json" };
      try {
        const response = await fetch(url, { ...options, headers, signal: asking.signal });
        if (!response.ok) {
          throw new Error(response.status);
        }
        show((await response.json()).html);
      } catch (error) {
        if (error.name !== "AbortError") {
          message.textContent = lost;
        }
      }
    };
  };

  const chosen = document.getElementById("example-call");
  if (!chosen) {
    return;
  }
  root.classList.add("is-live");
  const pasted = document.getElementById("example-body");
  const tree = document.getElementById("example-tree");
  const result = document.getElementById("dry-run-result");
  const message = root.querySelector(".example-message");
  const askTree = asker();
  const askResult = asker();
  const panel = root.querySelector(".example-call");

  // The dry run: once it was asked for, it follows what is typed.
  const dryRun = () => {
    message.textContent = "";
    const options = { method: "POST", body: new FormData(form) };
    askResult(root.dataset.try, options, (html) => {
      result.innerHTML = html;
    });
  };
  let timer = 0;
  const later = () => {
    if (result.childElementCount) {
      window.clearTimeout(timer);
      timer = window.setTimeout(dryRun, 500);
    }
  };
  document.getElementById("dry-run").addEventListener("click", (event) => {
    event.preventDefault();
    dryRun();
  });
  form.addEventListener("input", later);
  form.addEventListener("change", later);

  // Locations from an example
  let field = null;
  document.addEventListener("focusin", ({ target: element }) => {
    if (element.matches("input[data-location], textarea[data-template]")) {
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
    const text = fromEvent(location);
    const isTemplate = field.matches("[data-template]");
    const [start, end] = isTemplate ? [field.selectionStart, field.selectionEnd] : [0, field.value.length];
    const inserted = isTemplate ? `((Payload: ${text}))` : text;
    field.focus();
    field.setSelectionRange(start, end);
    // Like typing, so that it can be undone.
    if (!document.execCommand("insertText", false, inserted)) {
      field.setRangeText(inserted, start, end, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  const load = () => {
    message.textContent = "";
    const url = `${root.dataset.example}?call=${encodeURIComponent(chosen.value)}`;
    const show = (html) => {
      tree.innerHTML = html;
    };
    if (chosen.value) {
      askTree(url, {}, show);
    } else {
      show("");
    }
  };

  chosen.addEventListener("change", () => {
    pasted.value = "";
    load();
  });
  panel.addEventListener("click", (event) => {
    const button = event.target.closest(".example-tree button");
    if (button) {
      insert(button.dataset.location);
    }
  });
  if (chosen.value) {
    load();
  }
})();
