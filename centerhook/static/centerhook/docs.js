"use strict";

// The page of the API: Swagger UI, on files of this server alone.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
document.documentElement.classList.toggle("dark-mode", dark.matches);

const docs = document.getElementById("docs");

SwaggerUIBundle({
  url: docs.dataset.schema,
  domNode: docs,
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: (request) => {
    // Used with the admin's session only; a key needs none.
    request.headers["X-CSRFToken"] = docs.dataset.csrf;
    return request;
  },
});
