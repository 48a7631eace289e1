// The frame of every page.
"use strict";
{
    // Folds the menu away on wide screens. A cookie remembers it, so that the server
    // draws the next page as this one is and nothing moves while it loads.
    const button = document.getElementById("fold-menu");
    const menu = document.getElementById("menu");
    if (button && menu) {
        button.addEventListener("click", () => {
            const folded = menu.classList.toggle("folded");
            button.setAttribute("aria-expanded", String(!folded));
            const year = 365 * 24 * 3600;
            const value = folded ? "folded" : "open";
            document.cookie = `menu=${value};path=/;max-age=${year};samesite=lax`;
        });
    }

    // Names for what the scripts of Django's fields build without one.
    const nameFields = () => {
        for (const box of document.querySelectorAll(".select2-selection")) {
            const select = box.closest(".select2").previousElementSibling;
            const label = select && select.labels && select.labels[0];
            const chosen = box.querySelector(".select2-selection__rendered");
            if (label && chosen) {
                label.id ||= `label-of-${select.id}`;
                chosen.id ||= `chosen-of-${select.id}`;
                box.setAttribute("aria-labelledby", `${label.id} ${chosen.id}`);
                chosen.setAttribute("aria-labelledby", label.id);
            }
        }
        for (const hint of document.querySelectorAll("span.help-tooltip[aria-label]")) {
            hint.setAttribute("role", "img");
        }
    };
    // Django's scripts come a tick after the page, so this comes after them.
    window.addEventListener("load", () => setTimeout(nameFields));
    document.addEventListener("formset:added", () => setTimeout(nameFields));
}
