// What is typed into a form is there again after a session that has ended meanwhile.
"use strict";
(() => {
  // In this tab only, and gone with it. Some 5 MB is what browsers take.
  const KEY = "typed";
  const MAX_LENGTH = 2_000_000;
  const NEVER = "[type=password], [type=file], [data-secret], [autocomplete=one-time-code], [name=csrfmiddlewaretoken]";
  // Says whose page this is; pages of sign-in and of errors are nobody's.
  const person = document.querySelector("meta[name=person]")?.content;
  const here = location.pathname + location.search;

  const kept = () => {
    try {
      return JSON.parse(sessionStorage.getItem(KEY));
    } catch {
      return null;
    }
  };
  const keep = (what) => {
    try {
      sessionStorage.setItem(KEY, JSON.stringify(what));
    } catch {
      sessionStorage.removeItem(KEY);
    }
  };
  const forget = () => sessionStorage.removeItem(KEY);

  const forms = () => [...document.querySelectorAll("#content form[method=post]")];
  const keyOf = (form) => `${form.id} ${form.getAttribute("action") || ""}`;
  const pairsOf = (form) => {
    const never = new Set([...form.elements].filter((each) => each.matches(NEVER)).map((each) => each.name));
    return [...new FormData(form)].filter(([name]) => !never.has(name));
  };

  const note = (sentence, ...more) => {
    const box = document.createElement("div");
    box.className = "note info typed-note";
    box.setAttribute("role", "status");
    const text = document.createElement("p");
    text.textContent = sentence;
    box.append(text, ...more);
    const main = document.getElementById("content") || document.querySelector("main");
    // Buttons may stand beside the heading of a signed-in person's page.
    const above = person ? null : main.querySelector(".lead") || main.querySelector("h1");
    if (above) {
      above.after(box);
    } else {
      main.prepend(box);
    }
    return box;
  };
  const since = (what) => new Date(what.at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const button = (text, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  };
  // Signed in they may also discard it.
  const offer = (box, first) => {
    const row = document.createElement("p");
    row.className = "row";
    row.append(first);
    if (person) {
      const drop = () => {
        forget();
        box.remove();
      };
      row.append(button("Discard it", drop));
    }
    box.append(row);
  };
  const linkTo = (path) => {
    const link = document.createElement("a");
    link.className = "button";
    link.href = path;
    link.textContent = "Back to the form";
    return link;
  };

  const send = (path, pairs) => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = path;
    form.hidden = true;
    const token = document.querySelector("[name=csrfmiddlewaretoken]");
    for (const [name, value] of [...pairs, [token.name, token.value]]) {
      const field = document.createElement("textarea");
      field.name = name;
      field.value = value;
      form.append(field);
    }
    document.body.append(form);
    form.submit();
  };
  const fill = (form, pairs) => {
    for (const field of form.elements) {
      if (!field.name || field.matches(NEVER) || field.type === "hidden") {
        continue;
      }
      const values = pairs.filter(([name]) => name === field.name).map(([, value]) => value);
      if (field.type === "checkbox" || field.type === "radio") {
        field.checked = values.includes(field.value);
      } else if (field.tagName === "SELECT") {
        for (const option of field.options) {
          option.selected = values.includes(option.value);
        }
      } else if (values.length) {
        field.value = values[0];
      }
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
  };
  const restore = (what) => {
    const there = new Map(forms().map((form) => [keyOf(form), form]));
    const places = what.forms.filter(([key]) => there.has(key));
    if (!places.length) {
      // A page that answered a form, such as a question before something is done.
      const again = button("Send it as it was", () => {
        forget();
        send(what.path, what.forms[0][1]);
      });
      offer(note(`What you typed before ${since(what)} was not sent, and its page is closed.`), again);
      return;
    }
    forget();
    for (const [key, pairs] of places) {
      const marker = there.get(key).querySelector("[name=_typed]");
      if (marker) {
        // The server shows it with every row, and saves nothing.
        send(here, [...pairs, [marker.name, "1"]]);
        return;
      }
    }
    for (const [key, pairs] of places) {
      fill(there.get(key), pairs);
    }
    note(
      `What you typed before ${since(what)} is here again, and nothing of it is saved yet.` +
        " Passwords, secrets and files are not kept: give them once more.",
    );
  };

  const typed = kept();
  let restorable = null;
  if (typed && !person) {
    keep({ ...typed, interrupted: true });
    const isSignIn = document.body.classList.contains("login");
    if (typed.isTooLong) {
      note("What you typed was not saved, and is too long to be kept here. Go back in your browser, and copy it.");
    } else if (isSignIn) {
      note("You were signed out before this was saved. What you typed is kept in this tab: sign in, and it is there again.");
    } else {
      offer(note("What you typed is kept in this tab."), linkTo(typed.path));
    }
  } else if (typed && !(typed.interrupted && typed.person === person && typed.forms)) {
    forget();
  } else if (typed && typed.path === here) {
    restorable = typed;
  } else if (typed) {
    offer(note(`What you typed before ${since(typed)} was not saved.`), linkTo(typed.path));
  }
  if (!person) {
    return;
  }

  let untouched = null;
  window.addEventListener("load", () => {
    untouched = new Map(forms().map((form) => [keyOf(form), JSON.stringify(pairsOf(form))]));
    if (restorable) {
      restore(restorable);
    }
  });
  // A form that came back has been saved by nobody.
  const isBack = document.querySelector(".errornote, [name=_typed][data-unsaved]") !== null;
  const remember = () => {
    const written = forms().map((form) => [keyOf(form), pairsOf(form)]);
    const changed = written.filter(
      ([key, pairs]) => pairs.length && (isBack || JSON.stringify(pairs) !== untouched.get(key)),
    );
    if (changed.length) {
      const what = { person, path: here, at: Date.now(), forms: changed };
      const isTooLong = JSON.stringify(what).length > MAX_LENGTH;
      keep(isTooLong ? { ...what, forms: null, isTooLong } : what);
    }
  };
  let isLeaving = false;
  document.getElementById("logout-form")?.addEventListener("submit", () => {
    isLeaving = true;
    forget();
  });
  window.addEventListener("pagehide", () => {
    if (untouched && !isLeaving) {
      remember();
    }
  });
})();
