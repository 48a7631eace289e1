// On the form of a schedule: only the fields of its rate, and when it would run.
"use strict";
(() => {
  const box = document.getElementById("schedule-moments");
  const rate = document.getElementById("id_rate");
  if (!box || !box.dataset.url || !rate) {
    return;
  }
  const form = rate.form;
  let control = null;
  let timer = 0;

  const showFields = () => {
    for (const field of form.querySelectorAll("[data-rates]")) {
      const row = field.closest(".form-row");
      row.hidden = !field.dataset.rates.split(" ").includes(rate.value);
    }
  };

  const preview = async () => {
    control?.abort();
    control = new AbortController();
    try {
      const response = await fetch(box.dataset.url, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "application/json" },
        signal: control.signal,
      });
      if (response.ok) {
        box.querySelector(".moments").innerHTML = (await response.json()).html;
      }
    } catch {
      // A newer preview is under way, or the server is away for a moment.
    }
  };

  const soon = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(preview, 300);
  };

  form.addEventListener("input", soon);
  form.addEventListener("change", () => {
    showFields();
    soon();
  });
  showFields();
  soon();
})();
