"""What browsers may load and do on every page of ours."""

from __future__ import annotations

from csp.constants import NONCE, NONE, SELF

# The same for every page. A form that ends at another origin, even by a redirect,
# needs that origin in form-action.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF, NONCE],  # The code editor makes its style sheet itself.
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
