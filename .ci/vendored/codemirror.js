// What code.js takes of CodeMirror: `CodeMirror` in the page.
export { autocompletion, completionKeymap } from "@codemirror/autocomplete";
export { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
export { bracketMatching, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
export { Compartment, EditorState } from "@codemirror/state";
export { EditorView, highlightSpecialChars, keymap } from "@codemirror/view";
export { classHighlighter } from "@lezer/highlight";
