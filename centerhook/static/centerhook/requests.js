// Beside each web request: what is wrong with it and where, a preview, a test send.
"use strict";
(() => {
  const { root, form, ask, write, debounced, tell } = macroEditor;
  const template = document.getElementById("request-panel");
  const checks = new WeakMap();
  // The bodies of which a message says why they were not formatted; it stays.
  const unformatted = new WeakMap();

  const prefixOf = (request) => request.id;
  const fieldOf = (request, name) => form.elements[`${prefixOf(request)}-${name}`];

  // Columns count characters, the cursor counts UTF-16 units.
  const offsetOf = (text, line, column) => {
    const lines = text.split("\n");
    const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    return before + [...(lines[line - 1] || "")].slice(0, column - 1).join("").length;
  };

  const goTo = (field, { line, column }) => {
    const offset = line ? offsetOf(field.value, line, column) : 0;
    field.focus();
    field.setSelectionRange?.(offset, offset);
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

  // Returns how many are shown: none for a field that nobody has written in yet.
  const mark = (request, problems) => {
    for (const list of request.querySelectorAll(".errorlist")) {
      list.remove();
    }
    let count = 0;
    for (const field of request.querySelectorAll("textarea, input, select")) {
      const name = field.name.slice(prefixOf(request).length + 1);
      const own = problems[name];
      field.removeAttribute("aria-invalid");
      if (own && (field.value || field.dataset.touched)) {
        count += own.length;
        field.setAttribute("aria-invalid", "true");
        (field.closest(".flex-container") || field).before(listOf(field, own));
      }
    }
    const table = request.querySelector(".return-values");
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

  const check = async (request, panel) => {
    checks.get(request)?.abort();
    const control = new AbortController();
    checks.set(request, control);
    try {
      const reply = await ask("check", { step: prefixOf(request) }, control.signal);
      if (reply.refused) {
        panel.querySelector(".request-preview").replaceChildren(reply.refused);
        return;
      }
      const count = mark(request, reply.problems);
      const plural = count === 1 ? "1 problem" : `${count} problems`;
      if (unformatted.get(request) !== fieldOf(request, "body").value) {
        say(panel, count ? `${plural}, marked beside the text.` : "");
      }
      panel.querySelector(".request-preview").innerHTML = reply.preview;
    } catch {
      // A newer check is under way.
    }
  };

  const format = async (request, panel) => {
    const body = fieldOf(request, "body");
    const before = body.value;
    const reply = await ask("format", { step: prefixOf(request) });
    if (reply.refused) {
      unformatted.set(request, before);
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

  const test = async (request, panel) => {
    const box = panel.querySelector(".test-result");
    const asked = { step: prefixOf(request), to: panel.querySelector(".test-to").value };
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

  const equip = (request) => {
    const panel = template.content.cloneNode(true).querySelector("section");
    const isJson = () => {
      const kind = fieldOf(request, "body_kind");
      panel.querySelector("[data-do=format]").hidden = kind.value !== "json";
    };
    const soon = debounced(300, () => check(request, panel));
    request.querySelector("fieldset").after(panel);
    request.addEventListener("input", (event) => {
      if (!panel.contains(event.target)) {
        event.target.dataset.touched = "yes";
        isJson();
        soon();
      }
    });
    panel.addEventListener("click", async (event) => {
      const button = event.target.closest("button[data-do]");
      if (button) {
        await actions[button.dataset.do](request, panel);
      }
      const copy = event.target.closest("button[data-copy-curl]");
      if (copy) {
        await navigator.clipboard.writeText(copy.closest("details").querySelector("pre").textContent);
        copy.textContent = "Copied";
      }
    });
    root.addEventListener("subject-chosen", soon);
    isJson();
    soon();
  };

  const isRequest = (element) => /^steps-\d+$/.test(element.id);
  for (const request of root.querySelectorAll(".inline-related")) {
    if (isRequest(request)) {
      equip(request);
    }
  }
  document.addEventListener("formset:added", (event) => {
    if (isRequest(event.target)) {
      equip(event.target);
    }
  });
})();
