// A list of forms in order: they are added, moved, doubled and removed where they stand.
// The inputs for positions, which the form has without this, follow the order.
"use strict";
for (const list of document.querySelectorAll(".ordered")) {
  const rows = list.querySelector(".entries");
  const message = list.querySelector(".ordered-message");
  const noun = list.dataset.noun;
  let dragged = null;

  const entries = () => [...rows.children].filter((entry) => !entry.hidden);
  const nameOf = (entry) => {
    const line = entry.querySelector(".entry-line");
    const typed = entry.querySelector("input[type=text]");
    return (line ? line.textContent : typed?.value) || noun;
  };
  const say = (text) => {
    message.textContent = text;
  };

  const number = () => {
    const shown = entries();
    shown.forEach((entry, at) => {
      entry.querySelector(".position").value = at + 1;
    });
    list.querySelector(".empty-list")?.toggleAttribute("hidden", shown.length > 0);
    rows.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const position = (entry) => `position ${entries().indexOf(entry) + 1} of ${entries().length}`;

  const move = (entry, steps) => {
    const shown = entries();
    const other = shown[shown.indexOf(entry) + steps];
    if (!other) {
      say(`${nameOf(entry)} is ${steps < 0 ? "first" : "last"} already.`);
      return;
    }
    const focused = document.activeElement;
    other[steps < 0 ? "before" : "after"](entry);
    number();
    focused.focus();
    say(`${nameOf(entry)} is at ${position(entry)} now.`);
  };

  const totalOf = (kind) => list.querySelector(`[name="${kind}-TOTAL_FORMS"]`);

  // The next free number among the forms of a kind, which gets one more.
  const reserve = (kind) => {
    const total = totalOf(kind);
    total.value = Number(total.value) + 1;
    return `${kind}-${total.value - 1}`;
  };

  // The list's own parts know nothing of what a page adds to an entry, and that page
  // hears of it by Django's event.
  const shown = (entry, kind) => {
    enable(entry);
    number();
    entry.dispatchEvent(
      new CustomEvent("formset:added", { bubbles: true, detail: { formsetName: kind } })
    );
  };

  const add = (blank) => {
    const kind = blank.replace(/-__prefix__$/, "");
    const template = list.querySelector(`template[data-blank="${blank}"]`);
    const made = document.createElement("template");
    made.innerHTML = template.innerHTML.replaceAll(blank, reserve(kind));
    const entry = made.content.querySelector("li");
    rows.append(entry);
    shown(entry, kind);
    open(entry);
    say(`${nameOf(entry)}: added at the end, ${position(entry)}.`);
  };

  const open = (entry) => {
    const details = entry.querySelector("details.entry-body");
    if (details) {
      details.open = true;
    }
    const inputs = entry.querySelectorAll(
      ".entry-body :is(input:not([type=hidden]), select, textarea, .cm-content)"
    );
    [...inputs].find((each) => each.offsetParent !== null)?.focus();
  };

  const double = (entry) => {
    const before = entry.id;
    const kind = before.replace(/-\d+$/, "");
    const after = reserve(kind);
    const copy = entry.cloneNode(true);
    copy.querySelectorAll("[data-live]").forEach((each) => each.remove());
    copy.querySelectorAll(".errorlist").forEach((each) => each.remove());
    delete copy.dataset.stored;
    copy.id = after;
    for (const each of copy.querySelectorAll("*")) {
      for (const name of ["id", "name", "for", "aria-describedby", "aria-labelledby"]) {
        const value = each.getAttribute(name);
        if (value?.includes(before)) {
          each.setAttribute(name, value.replaceAll(before, after));
        }
      }
    }
    // A clone has the values that its page came with.
    const typed = entry.querySelectorAll("input, select, textarea");
    [...typed].filter((each) => !each.closest("[data-live]")).forEach((from) => {
      const to = copy.querySelector(`[name="${CSS.escape(from.name.replace(before, after))}"]`);
      if (to && from.name) {
        [to.value, to.checked, to.hidden] = [from.value, from.checked, false];
      }
    });
    copy.querySelector(`[name="${after}-${entry.dataset.key}"]`).value = "";
    entry.after(copy);
    copy.querySelector("details.entry-body")?.setAttribute("open", "");
    shown(copy, kind);
    open(copy);
    say(`${nameOf(copy)}: its double is at ${position(copy)}.`);
  };

  const remove = (entry) => {
    entry.querySelector("[name$=-DELETE]").checked = true;
    const shown = entries();
    const at = shown.indexOf(entry);
    entry.hidden = true;
    number();
    const undo = document.createElement("button");
    undo.type = "button";
    undo.className = "link";
    undo.textContent = "Undo";
    undo.addEventListener("click", () => {
      entry.querySelector("[name$=-DELETE]").checked = false;
      entry.hidden = false;
      number();
      say(`${nameOf(entry)} is back at ${position(entry)}.`);
      open(entry);
    });
    message.replaceChildren(`${nameOf(entry)} is removed when you save. `, undo);
    const next = shown[at + 1] || shown[at - 1];
    (next?.querySelector("[data-do=remove]") || undo).focus();
  };

  const acts = {
    up: (entry) => move(entry, -1),
    down: (entry) => move(entry, 1),
    double,
    remove,
  };

  const enable = (entry) => {
    for (const each of entry.querySelectorAll(".needs-script")) {
      each.hidden = false;
    }
    entry.querySelector(".entry-switch input")?.addEventListener("change", (event) => {
      entry.classList.toggle("is-off", !event.target.checked);
    });
  };

  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const entry = event.target.closest(".entry");
    if (button?.dataset.add) {
      button.closest("details")?.removeAttribute("open");
      add(button.dataset.add);
    } else if (entry && button && acts[button.dataset.do] && button.closest(".entry-moves")) {
      acts[button.dataset.do](entry);
    }
  });
  list.addEventListener("keydown", (event) => {
    const menu = event.target.closest("details.add-menu");
    if (event.key === "Escape" && menu?.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    const steps = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const entry = event.target.closest(".entry");
    const isHandled = entry?.querySelector(".entry-moves") && event.target.closest("summary, .entry-moves");
    if (event.altKey && steps && isHandled) {
      event.preventDefault();
      move(entry, steps);
    }
  });

  rows.addEventListener("dragstart", (event) => {
    if (!event.target.classList?.contains("entry-handle")) {
      return;
    }
    dragged = event.target.closest(".entry");
    dragged.classList.add("is-dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", nameOf(dragged));
    event.dataTransfer.setDragImage(dragged, 20, 20);
  });
  rows.addEventListener("dragover", (event) => {
    const over = event.target.closest(".entry");
    if (!dragged) {
      return;
    }
    event.preventDefault();
    if (over && over !== dragged) {
      const { top, height } = over.getBoundingClientRect();
      over[event.clientY < top + height / 2 ? "before" : "after"](dragged);
    }
  });
  rows.addEventListener("drop", (event) => {
    if (dragged) {
      event.preventDefault();
    }
  });
  rows.addEventListener("dragend", () => {
    if (dragged) {
      dragged.classList.remove("is-dragged");
      number();
      say(`${nameOf(dragged)} is at ${position(dragged)} now.`);
      dragged = null;
    }
  });

  list.classList.add("is-live");
  list.querySelector(".add-entry")?.removeAttribute("hidden");
  entries().forEach(enable);
}
