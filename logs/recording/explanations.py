"""What a status code or an error means, for people who don't read them daily."""

from __future__ import annotations

from ..models import Attempt, Cut, ErrorClass

# 200, 500 and what is not here mean what their class does.
STATUSES: dict[int, str] = {
    201: "the system accepted the request and created something",
    202: "the system accepted the request and will process it later",
    204: "the system accepted the request and sent no content",
    301: "the URL has moved for good; put the new one into the web request",
    302: "the request was redirected; check the URL, often it leads to a login page",
    303: "the request was redirected; check the URL, often it leads to a login page",
    307: "the URL has moved for now; check the URL of the web request",
    308: "the URL has moved for good; put the new one into the web request",
    400: "the system did not understand the request; check the body and its format",
    401: "the system did not accept the credentials; check the Authorization header",
    402: "the system asks for payment; check the account there",
    403: "the credentials are known, but may not do this; check their permissions",
    404: "nothing is at this URL; check the URL, or whether it was deleted there",
    405: "the URL exists, but not for this method; check the method and the URL",
    406: "the system cannot respond in the requested format; check the Accept header",
    408: "the system waited too long for our request",
    409: "the request conflicts with what is there already, often a duplicate",
    410: "the URL is gone for good, which pauses the macro; put in a new one",
    411: "the system wants to know the length of the body",
    412: "a condition of the request was not met; check its If- headers",
    413: "the body is too large for the system; shorten it, for instance with truncate",
    414: "the URL is too long for the system; move values into the body",
    415: "the system does not take this kind of body; check the Content-Type header",
    421: "the request reached the wrong server; check the host in the URL",
    422: "the system refuses a value in the request; its response says which",
    423: "the record is locked there; try again later",
    425: "the system was not ready for the request yet",
    429: "the system says that requests come too fast",
    431: "the headers are too large for the system",
    501: "the system does not know this method; check the method",
    502: "a gateway before the system got no proper response from it",
    503: "the system is overloaded or down for maintenance",
    504: "a gateway before the system waited too long for it",
}
_CLASSES: dict[int, str] = {
    1: "the system sent an interim response only",
    2: "the system accepted the request",
    3: "the request was redirected, and redirects are not followed",
    4: "the system refused the request; its response may say why",
    5: "the system had an error of its own; nothing is wrong on this side",
}
ERRORS: dict[str, str] = {
    ErrorClass.DNS: "Check the host name in the URL.",
    ErrorClass.CONNECT: "The system may be down, or a firewall is in the way.",
    ErrorClass.TLS: "Ask the receiver's administrator to check the certificate.",
    ErrorClass.TIMEOUT: "The system was too slow to respond.",
    ErrorClass.BLOCKED: "Ask your operator if this address should be allowed.",
    ErrorClass.RENDER: "Correct the ticket or the macro, then run the macro again.",
    ErrorClass.TOO_LARGE: "Shorten the body, for instance with truncate.",
    ErrorClass.BUSY: "The delivery is tried again when the system takes requests.",
    ErrorClass.LOST: "The system may have got the request, and may get it again.",
}


def explain(attempt: Attempt) -> str:
    """One or two sentences: what happened, and what to do about it.

    After them, a line each: what was stored from the response, and what was not.
    """
    if attempt.status is not None:
        is_busy = attempt.error_class == ErrorClass.BUSY
        meaning = STATUSES.get(429 if is_busy else attempt.status)
        meaning = meaning or _CLASSES.get(attempt.status // 100)
        text = f"{attempt.status}: {meaning or 'an unknown response'}.{_cut(attempt)}"
        # What became of the return values is a line each.
        captured = attempt.status < 300 or "\n" in attempt.message
        between = "\n" if captured else " "
        return f"{text}{between}{attempt.message}".strip()
    is_harmless = attempt.error_class == ErrorClass.LOST and not attempt.outcome_unknown
    advice = "" if is_harmless else ERRORS.get(attempt.error_class, "")
    parts = [attempt.message, advice]
    if attempt.outcome_unknown and attempt.error_class != ErrorClass.LOST:
        parts.append("Outcome unknown: the system may have acted on the request.")
    return " ".join(part for part in parts if part)


def error_label(error_class: str) -> str:
    """The name of an error in lists; an empty string if there is none."""
    return str(ErrorClass(error_class).label) if error_class else ""


def _cut(attempt: Attempt) -> str:
    if not attempt.response_cut:
        return ""
    return f" The response is incomplete: {Cut(attempt.response_cut).label}."
