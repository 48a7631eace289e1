"""A small OpenID Connect provider on loopback, with real signatures.

It says yes to everybody: what it says about them is up to the test.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "centerhook"
CLIENT_SECRET = "only between the two"


@cache
def _a_key() -> rsa.RSAPrivateKey:
    """One for all tests: it takes as long to make as a test."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    """A context manager. It gives out what is in `info` and `token_changes`."""

    def __init__(self) -> None:
        self.key = self.signing_key = _a_key()
        self.info: dict[str, Any] = {}
        self.token_changes: dict[str, Any] = {}
        self.is_down = False
        self.asked: dict[str, str] = {}
        self.redeemed: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Provider:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def authorize(self, url: str) -> dict[str, str]:
        """What the browser brings back from the page that it was sent to."""
        self.asked = _flat(urlsplit(url).query)
        return {"code": "a-code", "state": self.asked["state"]}

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        self.redeemed.append(form)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        assert challenge == self.asked["code_challenge"]
        assert form["client_secret"] == CLIENT_SECRET
        assert form["redirect_uri"] == self.asked["redirect_uri"]
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": "person-1",
            "iat": int(time.time()),
            "exp": int(time.time()) + 300,
            "nonce": self.asked["nonce"],
            **self.token_changes,
        }
        signed = jwt.encode(claims, self.signing_key, "RS256", headers={"kid": "one"})
        return {"access_token": "access", "token_type": "Bearer", "id_token": signed}

    def keys(self) -> dict[str, Any]:
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**jwk, "kid": "one", "alg": "RS256", "use": "sig"}]}


def _flat(encoded: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(encoded).items()}


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            responses = {"/keys": provider.keys(), "/userinfo": provider.info}
            self._respond(responses[self.path])

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._respond(provider.token(_flat(body)))

        def _respond(self, content: dict[str, Any]) -> None:
            self.send_response(503 if provider.is_down else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *args: object) -> None:
            pass

    return Handler
