// Folds the menu away on wide screens. A cookie remembers it, so that the server draws
// the next page as this one is and nothing moves while it loads.
"use strict";
{
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
}
