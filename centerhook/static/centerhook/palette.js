// The list of tags: it can be searched, and inserts at the cursor of the field last used.
"use strict";
(() => {
  const { root, form, subject, ask, fieldOf, selection, focus, write, debounced, tell } =
    macroEditor;
  const palette = document.getElementById("tag-palette");
  const details = palette.querySelector("details");
  const label = document.getElementById("palette-subject-label");
  const search = document.getElementById("palette-search");
  const offered = document.getElementById("palette-subjects");
  const groups = palette.querySelector(".tag-groups");
  const message = palette.querySelector(".palette-message");
  let field = null;
  let asking = null;

  const takesTags = (element) => element.matches(".entry [data-tags]");

  const visible = () =>
    [...groups.querySelectorAll("button")].filter((button) => button.offsetParent !== null);

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/);
    for (const row of groups.querySelectorAll("li")) {
      row.hidden = !words.every((word) => row.dataset.words.includes(word));
    }
    for (const group of groups.querySelectorAll(".tag-group")) {
      group.hidden = !group.querySelector("li:not([hidden])");
    }
    const count = visible().length;
    message.textContent = search.value && !count ? "No tag or filter has such a name or does that." : "";
  };

  // Where a filter belongs: before the end of the tag that the cursor is in or behind.
  const endOfTag = () => {
    const before = field.value.slice(0, selection(field)[0]);
    if (before.endsWith("))")) {
      return before.length - 2;
    }
    const open = before.lastIndexOf("((");
    if (open < 0 || before.slice(open).includes("))")) {
      return -1;
    }
    return field.value.indexOf("))", before.length);
  };

  const insert = (text) => {
    if (!field || !field.isConnected) {
      message.textContent = "Put the cursor where the tag belongs first.";
      return;
    }
    let [start, end] = selection(field);
    if (text.startsWith("|")) {
      start = end = endOfTag();
      if (start < 0) {
        message.textContent = "A filter stands in a tag: put the cursor in one first.";
        return;
      }
    }
    message.textContent = "";
    write(field, start, end, text);
  };

  const open = () => {
    details.open = true;
    search.focus();
    search.select();
  };

  const offer = (subjects) => {
    offered.replaceChildren(
      ...subjects.map(({ value, label }) => new Option(label, value))
    );
  };

  // The reply to an older question, which may come late, is not shown any more.
  const askNewest = async (what, extra, show) => {
    asking?.abort();
    asking = new AbortController();
    try {
      show(await ask(what, extra, asking.signal));
    } catch (error) {
      if (error.name !== "AbortError") {
        throw error;
      }
    }
  };

  const load = () =>
    askNewest("palette", {}, (reply) => {
      if (reply.refused) {
        message.textContent = reply.refused;
        return;
      }
      message.textContent = "";
      groups.innerHTML = reply.html;
      subject.value = reply.subject;
      label.textContent = reply.label;
      offer(reply.subjects);
      enable();
      tell("subject-chosen");
    });

  const enable = () => {
    for (const button of groups.querySelectorAll("button")) {
      button.disabled = false;
    }
    filter();
  };

  // Who has left the field has chosen: looking would end what is asked about that.
  const look = debounced(300, () => {
    if (document.activeElement === subject) {
      askNewest("subjects", { search: subject.value }, (reply) => offer(reply.subjects || []));
    }
  });

  const isOffered = () => [...offered.options].some((option) => option.value === subject.value);

  document.addEventListener("focusin", ({ target: element }) => {
    if (takesTags(fieldOf(element))) {
      field = fieldOf(element);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.altKey && event.code === "KeyI") {
      event.preventDefault();
      open();
    }
  });
  palette.addEventListener("keydown", (event) => {
    const buttons = visible();
    const at = buttons.indexOf(document.activeElement);
    if (event.key === "Escape" && field) {
      event.preventDefault();
      focus(field);
    } else if (event.key === "ArrowDown" && event.target !== subject) {
      event.preventDefault();
      buttons[Math.min(at + 1, buttons.length - 1)]?.focus();
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault();
      (buttons[at - 1] || search).focus();
    } else if (event.key === "Enter" && event.target.matches("input")) {
      // Else it would save the macro.
      event.preventDefault();
      if (event.target === search && search.value && buttons.length) {
        insert(buttons[0].dataset.insert);
      } else if (event.target === subject) {
        load();
      }
    }
  });
  groups.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) {
      insert(button.dataset.insert);
    }
  });
  search.addEventListener("input", filter);
  subject.addEventListener("input", () => (isOffered() ? load() : look()));
  subject.addEventListener("change", load);
  root.addEventListener("tags-wanted", open);
  // The picker of types fires jQuery events only.
  django.jQuery("#id_feedback_type, #id_testers_of", form).on("change", () => {
    subject.value = "";
    load();
  });

  palette.querySelector(".needs-script").hidden = false;
  root.classList.add("is-live");
  details.open = window.matchMedia("(min-width: 1024px)").matches;
  enable();
  load();
})();
