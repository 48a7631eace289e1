// In each step: what it does in its line, what is wrong with it and where. Beside what
// sends requests also a preview and a test send.
"use strict";
(() => {
  const { root, form, views, ask, focus, write, debounced, tell } = macroEditor;
  const template = document.getElementById("request-panel");
  const checks = new WeakMap();
  // The bodies of which a message says why they were not formatted; it stays.
  const unformatted = new WeakMap();

  const prefixOf = (step) => step.id;
  const fieldOf = (step, name) => form.elements[`${prefixOf(step)}-${name}`];

  // Columns count characters, the cursor counts UTF-16 units.
  const offsetOf = (text, line, column) => {
    const lines = text.split("\n");
    const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    return before + [...(lines[line - 1] || "")].slice(0, column - 1).join("").length;
  };

  const goTo = (field, { line, column }) => {
    // What is marked may stand in a section that is folded.
    for (let fold = field.closest("details"); fold; fold = fold.parentElement.closest("details")) {
      fold.open = true;
    }
    focus(field, line ? offsetOf(field.value, line, column) : 0);
  };

  const listOf = (field, problems) => {
    const list = document.createElement("ul");
    list.className = "errorlist live-problems";
    for (const problem of problems) {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "link";
      button.textContent = problem.message;
      button.addEventListener("click", () => goTo(field, problem));
      item.append(button);
      list.append(item);
    }
    return list;
  };

  const markField = (field, problems) => {
    const editor = views.get(field)?.contentDOM;
    for (const each of [field, editor]) {
      each?.removeAttribute("aria-invalid");
      if (problems) {
        each?.setAttribute("aria-invalid", "true");
      }
    }
    if (problems) {
      (field.closest(".flex-container") || field).before(listOf(field, problems));
    }
  };

  // Returns how many are shown: none for a field that nobody has written in yet.
  const mark = (step, problems) => {
    for (const list of step.querySelectorAll(".errorlist")) {
      list.remove();
    }
    let count = 0;
    for (const field of step.querySelectorAll("textarea, input, select")) {
      const own = problems[field.name.slice(prefixOf(step).length + 1)];
      const isShown = own && (field.value || field.dataset.touched);
      count += isShown ? own.length : 0;
      markField(field, isShown ? own : null);
    }
    const table = step.querySelector(".return-values");
    if (problems.return_values) {
      count += problems.return_values.length;
      table.before(listOf(table.querySelector("input"), problems.return_values));
    }
    return count;
  };

  const say = (panel, text) => {
    const message = panel.querySelector(".panel-message");
    if (message.textContent !== text) {
      message.textContent = text;
    }
  };

  const preview = (step, panel, reply, count) => {
    const plural = count === 1 ? "1 problem" : `${count} problems`;
    if (unformatted.get(step) !== fieldOf(step, "body").value) {
      say(panel, count ? `${plural}, marked beside the text.` : "");
    }
    panel.querySelector(".request-preview").innerHTML = reply.preview;
  };

  const check = async (step, panel) => {
    checks.get(step)?.abort();
    const control = new AbortController();
    checks.set(step, control);
    try {
      const reply = await ask("check", { step: prefixOf(step) }, control.signal);
      if (reply.refused) {
        panel?.querySelector(".request-preview").replaceChildren(reply.refused);
        return;
      }
      step.querySelector(".entry-says").innerHTML = reply.says;
      const count = mark(step, reply.problems);
      if (panel) {
        preview(step, panel, reply, count);
      }
    } catch {
      // A newer check is under way.
    }
  };

  const format = async (step, panel) => {
    const body = fieldOf(step, "body");
    const before = body.value;
    const reply = await ask("format", { step: prefixOf(step) });
    if (reply.refused) {
      unformatted.set(step, before);
      say(panel, reply.refused);
    } else if (body.value === before) {
      write(body, 0, before.length, reply.body);
      say(panel, "Formatted.");
    }
  };

  const follow = async (box, { progress, page }) => {
    const link = document.createElement("a");
    link.href = page;
    link.target = "_blank";
    link.textContent = "Open the test in the log";
    const shown = document.createElement("div");
    shown.textContent = "Sending…";
    box.replaceChildren(shown, link);
    for (let settled = false; !settled && box.contains(shown); ) {
      await new Promise((resume) => window.setTimeout(resume, 700));
      try {
        const response = await fetch(progress, { headers: { Accept: "application/json" } });
        const current = await response.json();
        settled = current.settled;
        shown.innerHTML = current.html;
      } catch {
        // The server is away for a moment; the next try may reach it.
      }
    }
  };

  const test = async (step, panel) => {
    const box = panel.querySelector(".test-result");
    const asked = { step: prefixOf(step), to: panel.querySelector(".test-to").value };
    if (panel.querySelector(".test-store").checked) {
      asked.store = "on";
    }
    const reply = await ask("test", asked);
    if (reply.refused) {
      box.replaceChildren(reply.refused);
    } else {
      await follow(box, reply);
    }
  };

  const actions = { format, test, tags: () => tell("tags-wanted") };

  const panelOf = (step) => {
    const panel = template.content.cloneNode(true).querySelector("section");
    panel.dataset.live = "";
    step.querySelectorAll("fieldset")[0].after(panel);
    panel.addEventListener("click", async (event) => {
      const button = event.target.closest("button[data-do]");
      if (button) {
        await actions[button.dataset.do](step, panel);
      }
      const copy = event.target.closest("button[data-copy-curl]");
      if (copy) {
        await navigator.clipboard.writeText(copy.closest("details").querySelector("pre").textContent);
        copy.textContent = "Copied";
      }
    });
    return panel;
  };

  // A folded step is checked when it is opened.
  const equip = (step) => {
    const details = step.querySelector("details.entry-body");
    if (!details) {
      return;
    }
    const panel = "preview" in step.dataset ? panelOf(step) : null;
    const isJson = () => {
      if (panel) {
        const kind = fieldOf(step, "body_kind");
        panel.querySelector("[data-do=format]").hidden = kind.value !== "json";
      }
    };
    const soon = debounced(300, () => check(step, panel));
    const ifOpen = () => {
      if (details.open) {
        soon();
      }
    };
    step.addEventListener("input", (event) => {
      if (!panel?.contains(event.target) && event.target.closest(".entry-body")) {
        event.target.dataset.touched = "yes";
        isJson();
        soon();
      }
    });
    details.addEventListener("toggle", ifOpen);
    root.addEventListener("subject-chosen", ifOpen);
    isJson();
    ifOpen();
  };

  root.querySelectorAll(".entry").forEach(equip);
  document.addEventListener("formset:added", (event) => equip(event.target));
})();
