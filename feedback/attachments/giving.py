"""A file given out so that no browser runs, shows or guesses anything of it."""

from __future__ import annotations

from django.http import FileResponse, Http404

from ..models import Attachment

_POLICY = "sandbox; default-src 'none'"


def response_with(attachment: Attachment) -> FileResponse:
    """Raises Http404 with a sentence where the store has lost the file."""
    try:
        file = attachment.file.open("rb")
    except OSError as error:
        raise Http404(
            f"The file {attachment.name} is not in the store any more. Tell the people"
            " who run CenterHook."
        ) from error
    response = FileResponse(
        file,
        as_attachment=True,
        filename=attachment.name,
        content_type=attachment.content_type,
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = _POLICY
    return response
