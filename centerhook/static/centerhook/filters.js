// The builder of a filter's conditions, and what they match now. The rows of the form
// are the truth: the builder moves them into groups and writes their values.
"use strict";
(() => {
  const root = document.getElementById("filter-conditions");
  const box = document.getElementById("filter-matches");
  if (!root || !box) {
    return;
  }
  const form = root.closest("form");
  const name = root.dataset.name;
  const main = root.querySelector(".condition-rows");
  const template = root.querySelector("template");
  const lost = "The server did not respond. You may have been signed out: open CenterHook in another tab, then go on here.";
  const slow = "Counting takes too long. Add a condition that narrows it, such as a date.";
  let catalogue = { fields: {}, qualifiers: {}, external: null };
  let nextRow = root.querySelectorAll(".condition").length;
  let asking = null;

  const made = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  const ask = async (what, signal = undefined) => {
    const data = new FormData(form);
    data.set("do", what);
    try {
      const response = await fetch(box.dataset.url, { method: "POST", body: data, signal });
      if (response.status === 503) {
        return { refused: slow };
      }
      return response.ok ? await response.json() : { refused: lost };
    } catch (error) {
      if (error.name === "AbortError") {
        throw error;
      }
      return { refused: lost };
    }
  };

  // What the conditions match.
  const show = (reply) => {
    if (reply.refused) {
      box.replaceChildren(made("p", { className: "quiet", textContent: reply.refused }));
      return;
    }
    box.innerHTML = reply.html;
    const rows = [...root.querySelectorAll(".condition")];
    for (const row of rows) {
      row.querySelector(".live-problem")?.remove();
      const problem = reply.problems[placeOf(row)];
      const isBlank = !part(row, "field").value;
      if (problem && !isBlank) {
        row.append(made("p", { className: "meaning bad live-problem", textContent: problem }));
      }
      row.querySelector(".saved-problem")?.remove();
    }
  };

  const match = async () => {
    asking?.abort();
    asking = new AbortController();
    try {
      show(await ask("matches", asking.signal));
    } catch {
      // A newer question is under way.
    }
  };

  let timer = 0;
  const later = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(match, 400);
  };

  const part = (row, which) => row.querySelector(`.condition-${which}`);
  const isWritten = (row) => ["field", "name", "value"].some((each) => part(row, each).value.trim());

  // The path of a row's condition, as the server names it. Blank rows are none.
  const placeOf = (row) => {
    const list = row.parentElement;
    const places = (each) => [...each.children].filter((item) =>
      item.matches(".condition") ? isWritten(item) : [...item.querySelectorAll(".condition")].some(isWritten));
    if (list === main) {
      return `conditions[${places(main).indexOf(row)}]`;
    }
    const group = list.closest(".condition-box");
    return `conditions[${places(main).indexOf(group)}].conditions[${places(list).indexOf(row)}]`;
  };

  // Values
  const linesOf = (row) => part(row, "value").value.split("\n").map((line) => line.trim()).filter(Boolean);
  const label = (row, text) => `${part(row, "field").getAttribute("aria-label").split(",")[0]}, ${text}`;

  const selectOf = (row, offered, chosen) => {
    const select = made("select", { ariaLabel: label(row, "value") }, made("option", { value: "", textContent: "Choose" }));
    for (const [value, text] of offered) {
      select.append(made("option", { value, textContent: text, selected: chosen === value || chosen === text }));
    }
    if (chosen && !select.value) {
      select.append(made("option", { value: chosen, textContent: `${chosen} (gone)`, selected: true }));
    }
    return select;
  };

  const inputOf = (row, kind, value, what = "value") => {
    const isDay = ["moment", "date"].includes(kind) && /^(\d{4}-\d{2}-\d{2})?$/.test(value);
    const input = made("input", { type: isDay ? "date" : "text", ariaLabel: label(row, what), maxLength: 500 });
    if (kind === "number") {
      input.inputMode = "decimal";
    }
    input.value = value;
    return input;
  };

  const checksOf = (row, offered, chosen) => {
    const set = made("fieldset", { className: "condition-several" }, made("legend", { className: "visually-hidden", textContent: label(row, "values") }));
    const known = new Set(offered.flat());
    for (const [value, text] of [...offered, ...chosen.filter((each) => !known.has(each)).map((each) => [each, `${each} (gone)`])]) {
      const check = made("input", { type: "checkbox", value, checked: chosen.includes(value) || chosen.includes(text) });
      set.append(made("label", {}, check, ` ${text}`));
    }
    return set;
  };

  const spanOf = (row, text) => {
    const [, count, unit] = /^(\d+) ?(day|hour)s?$/.exec(text) || ["", "7", "day"];
    const number = made("input", { type: "number", min: 1, max: 9999, value: count, ariaLabel: label(row, "how many") });
    const units = made("select", { ariaLabel: label(row, "unit") });
    for (const each of ["day", "hour"]) {
      units.append(made("option", { value: `${each}s`, textContent: `${each}s`, selected: each === unit }));
    }
    return [number, units];
  };

  const controlsOf = (row, field, shape) => {
    const lines = linesOf(row);
    if (shape === "several" && field.offered.length) {
      return [checksOf(row, field.offered, lines)];
    }
    if (shape === "one") {
      return [field.offered.length ? selectOf(row, field.offered, lines[0]) : inputOf(row, field.kind, part(row, "value").value.trim())];
    }
    if (shape === "two") {
      return [inputOf(row, field.kind, lines[0] || "", "from"), made("span", { textContent: "and" }), inputOf(row, field.kind, lines[1] || "", "to")];
    }
    return shape === "span" ? spanOf(row, lines[0] || "") : [];
  };

  const write = (row, shape) => {
    const controls = [...row.querySelectorAll(".condition-control input, .condition-control select")];
    const values = controls.filter((each) => each.type !== "checkbox" || each.checked).map((each) => each.value);
    part(row, "value").value = shape === "span" ? values.join(" ") : values.join("\n");
  };

  const fieldOf = (row) => {
    const chosen = part(row, "field").value;
    return catalogue.fields[chosen] || (chosen.startsWith("external_") ? catalogue.external : null);
  };

  const dressValue = (row) => {
    const field = fieldOf(row);
    const area = part(row, "value");
    const control = row.querySelector(".condition-control");
    const shape = catalogue.qualifiers[part(row, "qualifier").value]?.shape;
    const isExternal = part(row, "field").selectedOptions[0]?.dataset.external !== undefined;
    part(row, "name").hidden = !isExternal;
    part(row, "qualifier").hidden = !field;
    control.replaceChildren(...(field && shape ? controlsOf(row, field, shape) : []));
    const isFree = field ? shape === "several" && !field.offered.length : Boolean(area.value);
    area.hidden = !isFree;
    area.rows = isFree ? 3 : 1;
    area.placeholder = isFree ? "One per line" : "";
    if (control.childElementCount) {
      write(row, shape);
    }
  };

  const dressField = (row) => {
    const field = fieldOf(row);
    const qualifier = part(row, "qualifier");
    const chosen = qualifier.value;
    if (field) {
      qualifier.replaceChildren(...field.qualifiers.map((each) =>
        made("option", { value: each, textContent: catalogue.qualifiers[each].label, selected: each === chosen })));
    }
    dressValue(row);
  };

  const fill = (row) => {
    const select = part(row, "field");
    const chosen = select.value;
    const text = select.selectedOptions[0]?.textContent || chosen;
    const options = Object.values(catalogue.fields).map((each) => made("option", { value: each.name, textContent: each.label }));
    const external = made("option", { value: "external_", textContent: "External data …" });
    external.dataset.external = "";
    select.replaceChildren(made("option", { value: "", textContent: "Choose a field" }), ...options, external);
    if (chosen && ![...select.options].some((each) => each.value === chosen)) {
      select.append(made("option", { value: chosen, textContent: text }));
    }
    select.value = chosen;
    dressField(row);
  };

  // Rows and groups
  const removed = (item, list) => {
    const next = item.nextElementSibling || item.previousElementSibling;
    item.remove();
    const focus = next?.querySelector(".condition-field") || list.parentElement.querySelector(":scope > .condition-more button") || root.querySelector(".condition-more button");
    focus.focus();
    later();
  };

  const dress = (row) => {
    const control = made("span", { className: "condition-control" });
    part(row, "value").after(control);
    const number = part(row, "field").getAttribute("aria-label").split(",")[0].toLowerCase();
    const button = made("button", { type: "button", className: "button", textContent: "Remove", ariaLabel: `Remove ${number}` });
    part(row, "remove").replaceWith(button);
    button.addEventListener("click", () => {
      const list = row.parentElement;
      const group = list.closest(".condition-box");
      if (group && list.childElementCount === 1) {
        removed(group, main);
      } else {
        removed(row, list);
      }
    });
    part(row, "field").addEventListener("change", () => {
      part(row, "value").value = "";
      dressField(row);
    });
    part(row, "qualifier").addEventListener("change", () => dressValue(row));
    row.addEventListener("input", (event) => {
      if (event.target.closest(".condition-control")) {
        write(row, catalogue.qualifiers[part(row, "qualifier").value]?.shape);
      }
      later();
    });
    part(row, "group").hidden = true;
    fill(row);
  };

  const addRow = (list, group) => {
    const html = template.innerHTML.replaceAll("__prefix__", String(nextRow)).replaceAll("Condition 0", `Condition ${nextRow + 1}`);
    nextRow += 1;
    const holder = made("ul");
    holder.innerHTML = html;
    const row = holder.firstElementChild;
    setGroup(row, group);
    list.append(row);
    dress(row);
    part(row, "field").focus();
  };

  const setGroup = (row, group) => {
    const select = part(row, "group");
    if (![...select.options].some((each) => each.value === String(group))) {
      select.append(made("option", { value: group }));
    }
    select.value = String(group);
  };

  const more = (...buttons) => made("p", { className: "condition-more" }, ...buttons);
  const buttonFor = (text, act) => {
    const button = made("button", { type: "button", className: "button", textContent: text });
    button.addEventListener("click", act);
    return button;
  };

  const matchOf = (number) => {
    const field = `${name}-group-${number}-match`;
    const known = form.elements[field];
    if (known) {
      return known;
    }
    const select = root.querySelector(`select[name="${name}-match"]`).cloneNode(true);
    select.name = field;
    select.value = "any";
    return select;
  };

  const addBox = (number) => {
    const list = made("ul", { className: "condition-rows" });
    const select = matchOf(number);
    select.setAttribute("aria-label", `Group ${number}, how its conditions count`);
    const item = made("li", { className: "condition-box" }, made("p", {}, "and in this group "), list);
    item.querySelector("p").append(select);
    item.append(more(buttonFor("Add to this group", () => addRow(list, number)), buttonFor("Remove the group", () => removed(item, main))));
    select.addEventListener("change", later);
    return [item, list];
  };

  const startGroup = () => {
    const used = [...root.querySelectorAll(".condition-group")].map((each) => Number(each.value));
    const number = Math.max(0, ...used) + 1;
    const [item, list] = addBox(number);
    main.append(item);
    addRow(list, number);
  };

  const arrange = () => {
    const boxes = {};
    for (const row of [...main.querySelectorAll(".condition")]) {
      const number = part(row, "group").value;
      if (!isWritten(row)) {
        row.remove();
      } else if (number !== "0") {
        if (!boxes[number]) {
          const [item, list] = addBox(number);
          row.before(item);
          boxes[number] = list;
        }
        boxes[number].append(row);
      }
    }
    for (const row of main.querySelectorAll(".condition")) {
      dress(row);
    }
    root.querySelector(".condition-groups").hidden = true;
    main.after(more(buttonFor("Add a condition", () => addRow(main, 0)), buttonFor("Add a group", startGroup)));
    root.querySelector(`select[name="${name}-match"]`).addEventListener("change", later);
    root.classList.add("is-live");
  };

  // Replies may come in another order than their questions: only the newest counts.
  let loading = null;
  const load = async () => {
    loading?.abort();
    loading = new AbortController();
    const { signal } = loading;
    const reply = await ask("catalogue", signal).catch(() => null);
    if (!reply || signal.aborted) {
      return;
    }
    root.hidden = Boolean(reply.refused);
    if (reply.refused) {
      box.replaceChildren(made("p", { className: "quiet", textContent: reply.refused }));
      return;
    }
    catalogue = reply;
    const names = document.getElementById(`${name}-external-names`);
    names.replaceChildren(...reply.names.map((each) => made("option", { value: each })));
    if (root.classList.contains("is-live")) {
      root.querySelectorAll(".condition").forEach(fill);
    } else {
      arrange();
    }
    match();
  };

  form.elements.selects?.addEventListener("change", load);
  load();
})();
