// What the scripts of a macro's page share. The server checks the form as it is, and
// saves nothing.
"use strict";
const macroEditor = (() => {
  const root = document.getElementById("macro-editor");
  const form = root.closest("form");
  const subject = document.getElementById("palette-subject");
  const lost = "The server did not respond. You may have been signed out: open CenterHook in another tab, then go on here.";
  // The code editors by the fields that they write into.
  const views = new WeakMap();

  // Rejects only when the signal aborts it.
  const ask = async (what, extra = {}, signal = undefined) => {
    const data = new FormData(form);
    const asked = { subject: subject.value.trim(), ...extra, do: what };
    for (const [name, value] of Object.entries(asked)) {
      data.set(name, value);
    }
    try {
      const response = await fetch(root.dataset.url, { method: "POST", body: data, signal });
      if (response.status === 413) {
        return { refused: "The form is too large to be checked." };
      }
      return response.ok ? await response.json() : { refused: lost };
    } catch (error) {
      if (error.name === "AbortError") {
        throw error;
      }
      return { refused: lost };
    }
  };

  // The field of a form that an element belongs to: it may be a code editor's.
  const fieldOf = (element) => element.closest(".code-editor")?.previousElementSibling || element;

  const selection = (field) => {
    const range = views.get(field)?.state.selection.main;
    return range ? [range.from, range.to] : [field.selectionStart, field.selectionEnd];
  };

  const focus = (field, at = null) => {
    const view = views.get(field);
    if (view) {
      view.focus();
      view.dispatch(at === null ? {} : { selection: { anchor: at }, scrollIntoView: true });
      return;
    }
    field.focus();
    if (at !== null) {
      field.setSelectionRange?.(at, at);
    }
  };

  // Like typing, so that it can be undone.
  const write = (field, start, end, text) => {
    focus(field);
    const view = views.get(field);
    if (view) {
      const changes = { from: start, to: end, insert: text };
      view.dispatch({ changes, selection: { anchor: start + text.length }, userEvent: "input" });
      return;
    }
    field.setSelectionRange(start, end);
    if (!document.execCommand("insertText", false, text)) {
      field.setRangeText(text, start, end, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  };

  const debounced = (wait, act) => {
    let timer = 0;
    return () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(act, wait);
    };
  };

  const tell = (name) => root.dispatchEvent(new CustomEvent(name));
  return { root, form, subject, views, ask, fieldOf, selection, focus, write, debounced, tell };
})();
