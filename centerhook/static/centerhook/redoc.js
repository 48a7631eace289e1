"use strict";

// The reference of the API: Redoc, on files of this server alone.
const isDark = window.matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.classList.toggle("dark-mode", isDark);
const docs = document.getElementById("docs");

const dark = {
  colors: {
    primary: { main: "#8ab4f8" },
    success: { main: "#6cc38b" },
    error: { main: "#f28b82" },
    text: { primary: "#e6e8eb", secondary: "#b3b9c0" },
    border: { dark: "#3a4148", light: "#2a3036" },
    http: { get: "#2f7d4f", post: "#2d6cb5", patch: "#8a6116", delete: "#a53f3f" },
  },
  schema: { nestedBackground: "#22272c", typeNameColor: "#b3b9c0", typeTitleColor: "#b3b9c0" },
  sidebar: { backgroundColor: "#16191c", textColor: "#e6e8eb" },
  typography: { code: { backgroundColor: "#2a3036", color: "#f0b4b4" } },
};
const light = {
  colors: { primary: { main: "#1d4f91" } },
};

// Its makers' logo would come from their server, and is the only picture.
const pictures = HTMLImageElement.prototype;
Object.defineProperty(pictures, "src", { set() {} });
pictures.setAttribute = function (name, value) {
  if (name !== "src") {
    Element.prototype.setAttribute.call(this, name, value);
  }
};

Redoc.init(
  docs.dataset.schema,
  {
    // Its search builds an index in a worker made of a text, which the policy forbids.
    disableSearch: true,
    hideDownloadButton: false,
    nativeScrollbars: true,
    theme: isDark ? dark : light,
  },
  docs,
);
