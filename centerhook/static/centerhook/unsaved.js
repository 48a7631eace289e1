// Leaving a page with something that is not saved asks first.
"use strict";
(() => {
  const form = document.querySelector("#content-main > form[id$=_form]");
  if (!form) {
    return;
  }
  const written = () => {
    const pairs = [...new FormData(form)].map(([name, value]) => [name, value.name ?? value]);
    return JSON.stringify(pairs);
  };
  // A form that came back with faults has been saved by nobody.
  let saved = document.querySelector(".errornote, [name=_typed][data-unsaved]") ? null : undefined;
  window.addEventListener("load", () => {
    saved = saved === undefined ? written() : saved;
  });
  form.addEventListener("submit", () => {
    saved = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (saved !== false && saved !== undefined && saved !== written()) {
      event.preventDefault();
      event.returnValue = "";
    }
  });
})();
