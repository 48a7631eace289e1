"""Comments and files of a ticket, in words."""

from __future__ import annotations

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html

from ..attachments.kinds import words_for
from ..models import Attachment, Comment


def signature(comment: Comment) -> str:
    """A person, an API key, a listener, or the macro and the run of it."""
    if comment.key_name:
        return f"API key {comment.key_name}"
    if comment.listener_name:
        return f"Listener {comment.listener_name}"
    if not comment.macro_name:
        author = comment.author
        return author.get_full_name() or str(author) if author else "Somebody"
    label = f"Macro {comment.macro_name}, run {comment.run_number}"
    if not getattr(comment, "has_run", False):
        return label
    url = reverse("admin:logs_run_change", args=[comment.run_number])
    return format_html('<a href="{}">{}</a>', url, label)


def described(attachment: Attachment) -> str:
    """`PNG image, 12.3 KB`."""
    size = filesizeformat(attachment.size)
    return f"{words_for(attachment.content_type)}, {size}"
