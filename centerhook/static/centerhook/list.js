// Lists: the bar of what is chosen, the way there by keyboard, and folds that close.
"use strict";
(() => {
  const bar = document.querySelector(".selection-bar");
  const form = document.getElementById("changelist-form");

  if (bar && form) {
    const macro = bar.querySelector("select[name=action]");
    const where = document.getElementById("action-host");
    const boxes = [...form.querySelectorAll("input.action-select")];
    const counter = bar.querySelector(".action-counter");
    counter?.setAttribute("role", "status");

    const update = () => {
      bar.hidden = !boxes.some((box) => box.checked);
      for (const box of boxes) {
        box.closest("tr").classList.toggle("selected", box.checked);
      }
    };
    // After the admin's own script, which may tick them all.
    const show = () => window.setTimeout(update);
    const say = () => {
      const host = macro.selectedOptions[0].dataset.host;
      where.textContent = host ? `to ${host}` : "";
    };

    // Not to the rows of the next page, where a filter led to those of this one.
    form.action = window.location.pathname + window.location.search;
    form.addEventListener("change", show);
    form.addEventListener("click", show);
    window.addEventListener("pageshow", show);
    show();
    macro?.addEventListener("change", say);
    bar.addEventListener("click", (event) => {
      const isPerform = event.target.closest("button")?.classList.contains("main");
      if (isPerform && !macro.value) {
        event.preventDefault();
        where.textContent = "Choose a macro first.";
        macro.focus();
      }
    });
    // From a row that is ticked, Enter leads to what can be done with it.
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.type === "checkbox") {
        event.preventDefault();
        update();
        if (!bar.hidden) {
          (macro || bar.querySelector("button")).focus();
        }
      }
    });
  }

  // The values of a filter are one stop of the Tab key; arrows lead from one to another.
  for (const list of document.querySelectorAll("#changelist-filter ul")) {
    const links = [...list.querySelectorAll("a")];
    const enter = (link) => links.forEach((each) => { each.tabIndex = each === link ? 0 : -1; });
    if (links.length) {
      enter(links.find((each) => each.ariaCurrent === "true") || links[0]);
    }
    list.addEventListener("keydown", (event) => {
      const at = links.indexOf(event.target);
      const places = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 };
      const next = links[places[event.key]];
      if (at >= 0 && event.key in places) {
        event.preventDefault();
        if (next) {
          enter(next);
          next.focus();
        }
      }
    });
  }

  // One fold is open at a time; Escape closes it.
  const folds = [...document.querySelectorAll(".list-bar details.fold, .pills details.fold")];
  for (const fold of folds) {
    fold.addEventListener("toggle", () => {
      if (fold.open) {
        folds.filter((each) => each !== fold).forEach((each) => { each.open = false; });
        fold.querySelector("input[type=text]")?.focus();
      }
    });
    fold.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && fold.open) {
        fold.open = false;
        fold.querySelector("summary").focus();
      }
    });
  }
})();
