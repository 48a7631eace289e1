// A code editor in place of each field that takes dynamic tags: tags keep their colour
// in JSON too, and typing (( offers those of the list beside it. The field stays in the
// form and always has the same text.
"use strict";
(() => {
  const { root, views } = macroEditor;
  const { Compartment, EditorState, EditorView, StreamLanguage } = CodeMirror;
  const palette = document.getElementById("tag-palette");

  const TAG = /^\(\((?:(?!\)\)|\(\()[^\n])*\)\)/;

  const skip = (stream, stop) => {
    do {
      stream.next();
    } while (!stream.eol() && !stream.match(stop, false));
  };

  // Between tags all is as it is.
  const plain = StreamLanguage.define({
    token(stream) {
      if (stream.match(TAG)) {
        return "macroName";
      }
      skip(stream, /^\(\(/);
      return null;
    },
  });

  const json = StreamLanguage.define({
    startState: () => ({ within: "" }),
    token(stream, state) {
      if (stream.sol()) {
        // No string goes on in the next line.
        state.within = "";
      }
      if (!state.within && stream.eatSpace()) {
        return null;
      }
      if (stream.match(TAG)) {
        return "macroName";
      }
      if (state.within) {
        const kind = state.within;
        if (stream.eat('"')) {
          state.within = "";
        } else if (stream.eat("\\")) {
          stream.next();
        } else {
          skip(stream, /^(?:["\\]|\(\()/);
        }
        return kind;
      }
      if (stream.peek() === '"') {
        state.within = stream.match(/^"(?:[^"\\]|\\.)*"\s*:/, false) ? "propertyName" : "string";
        stream.next();
        return state.within;
      }
      if (stream.match(/^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/)) {
        return "number";
      }
      if (stream.match(/^(?:true|false|null)\b/)) {
        return "bool";
      }
      return /[{}[\],:]/.test(stream.next()) ? "punctuation" : "invalid";
    },
  });

  const offered = (isFilter) =>
    [...palette.querySelectorAll("[data-insert]")]
      .filter((button) => button.dataset.insert.startsWith("|") === isFilter)
      .map((button, at) => {
        const [meaning, value] = [".quiet", "code"].map(
          (part) => button.parentElement.querySelector(part)?.textContent.trim() || ""
        );
        const text = button.dataset.insert;
        // Those that fit alike stand in the order of the list.
        return { text, name: button.textContent, meaning, value, boost: Math.max(-99, -at) };
      });

  // A tag that is chosen takes the place of the rest of the one that was begun.
  const put = (text) => (view, _, from, to) => {
    const rest = view.state.sliceDoc(to, to + 2) === "))" ? 2 : 0;
    const changes = { from, to: to + rest, insert: text };
    view.dispatch({
      changes,
      selection: { anchor: from + text.length },
      userEvent: "input.complete",
    });
  };

  const complete = (context) => {
    const begun = context.matchBefore(/\(\([^()|\n]*$/);
    if (begun) {
      const options = offered(false).map(({ text, name, meaning, value, boost }) => ({
        label: text,
        displayLabel: name,
        detail: value,
        info: meaning,
        boost,
        apply: put(text),
      }));
      return { from: begun.from, options, validFor: /^\(\([^()|\n]*$/ };
    }
    const filter = context.matchBefore(/\(\([^()\n]*\|[ a-z]*$/);
    if (!filter) {
      return null;
    }
    const from = filter.from + filter.text.lastIndexOf("|") + 1;
    const options = offered(true).map(({ text, name, meaning }) => ({
      label: text.slice(1),
      displayLabel: name,
      info: meaning,
    }));
    return { from, options, validFor: /^[ a-z]*$/ };
  };

  // The browser would give what is typed over marked text a style of its own, which the
  // page's policy refuses.
  const typeOver = EditorView.domEventHandlers({
    beforeinput(event, view) {
      const isOver = event.inputType === "insertText" && !view.state.selection.main.empty;
      if (!isOver || event.data === null || view.composing) {
        return false;
      }
      event.preventDefault();
      view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type" });
      return true;
    },
  });

  const oneLine = [
    EditorView.clipboardInputFilter.of((text) => text.replace(/\s*\n\s*/g, "")),
    EditorState.transactionFilter.of((change) =>
      change.newDoc.lines > Math.max(1, change.startState.doc.lines) ? [] : change
    ),
  ];

  // The body of a request is JSON as long as the field beside it says so.
  const kindOf = (field) => {
    const name = field.name.replace(/-[a-z]+$/, "-body_kind");
    return field.name.endsWith("-body") ? field.form.elements[name] : undefined;
  };

  const languageOf = (field) => (kindOf(field)?.value === "json" ? json : plain);

  const mount = (field) => {
    const language = new Compartment();
    const label = field.labels?.[0];
    const isLine = field.matches("input, [rows='1']");
    const host = document.createElement("div");
    host.className = isLine ? "code-editor is-line" : "code-editor";
    host.dataset.live = "";
    field.after(host);
    const attributes = { "aria-label": label?.textContent.trim().replace(/:$/, "") || field.name };
    const described = field.getAttribute("aria-describedby");
    if (described) {
      attributes["aria-describedby"] = described;
    }
    const view = new EditorView({
      parent: host,
      state: EditorState.create({
        doc: field.value,
        extensions: [
          EditorView.cspNonce.of(root.dataset.nonce),
          EditorView.contentAttributes.of(attributes),
          EditorView.lineWrapping,
          CodeMirror.highlightSpecialChars(),
          CodeMirror.history(),
          CodeMirror.bracketMatching(),
          CodeMirror.syntaxHighlighting(CodeMirror.classHighlighter),
          CodeMirror.autocompletion({
            override: [complete],
            icons: false,
            interactionDelay: 0,
          }),
          CodeMirror.keymap.of([
            ...CodeMirror.completionKeymap,
            ...CodeMirror.defaultKeymap,
            ...CodeMirror.historyKeymap,
          ]),
          typeOver,
          language.of(languageOf(field)),
          isLine ? oneLine : [],
          EditorView.updateListener.of((update) => {
            if (update.docChanged) {
              field.value = update.state.doc.toString();
              field.dispatchEvent(new Event("input", { bubbles: true }));
            }
          }),
        ],
      }),
    });
    views.set(field, view);
    field.hidden = true;
    label?.addEventListener("click", () => view.focus());
    kindOf(field)?.addEventListener("change", () => {
      view.dispatch({ effects: language.reconfigure(languageOf(field)) });
    });
  };

  // Those of a folded step are made when it is opened.
  const equip = (entry) => {
    const details = entry.querySelector("details.entry-body");
    const make = () => {
      for (const field of entry.querySelectorAll("[data-tags]")) {
        if (details.open && !views.has(field)) {
          mount(field);
        }
      }
    };
    details?.addEventListener("toggle", make);
    if (details) {
      make();
    }
  };

  root.querySelectorAll(".entry").forEach(equip);
  document.addEventListener("formset:added", (event) => equip(event.target));
})();
