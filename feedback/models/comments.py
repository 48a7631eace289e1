"""Comments on tickets: a conversation, with what each said before it was edited."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from ..access.actors import ScopedQuerySet, Tenancy
from ..access.privacy import Privacy
from ..access.requests import name_at_work
from ..texts import lines
from ..units import unit
from .tickets import Feedback


class CommentQuerySet(ScopedQuerySet["Comment"]):
    def bulk_create(
        self, objs: Iterable[Comment], *args: Any, **kwargs: Any
    ) -> list[Comment]:
        comments = list(objs)
        with unit():
            announce_comments(comments)
            return super().bulk_create(comments, *args, **kwargs)


class Comment(models.Model):
    feedback = models.ForeignKey(Feedback, models.CASCADE, related_name="comments")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True
    )
    text = models.TextField()
    # Set if a macro wrote the comment; its run may be gone.
    macro_name = models.CharField(max_length=100, blank=True, editable=False)
    run_number = models.BigIntegerField(null=True, editable=False)
    # Set if a listener did.
    listener_name = models.CharField(max_length=100, blank=True, editable=False)
    # Set if a program did: the name of its API key.
    key_name = models.CharField(
        max_length=200, blank=True, default="", db_default="", editable=False
    )
    created_at = models.DateTimeField("created", auto_now_add=True)
    edited_at = models.DateTimeField("edited", null=True, editable=False)

    tenancy = Tenancy(
        "feedback__feedback_type__project__community",
        "feedback__feedback_type__project",
    )
    privacy = Privacy(hidden=("text",), texts=("text",), about=("feedback__submitter",))
    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return self.text[:60]

    def save(self, *args: Any, **kwargs: Any) -> None:
        with unit():
            if self._state.adding:
                announce_comments([self])
            elif self._keep_former_text() and kwargs.get("update_fields"):
                kwargs["update_fields"] = {*kwargs["update_fields"], "edited_at"}
            super().save(*args, **kwargs)

    def _keep_former_text(self) -> bool:
        """Before another one is written; whether there is another one."""
        rows = type(self).objects.select_for_update(of=("self",)).filter(pk=self.pk)
        former = rows.values_list("text", flat=True).first()
        self.text = lines(self.text)
        if former is None or former == self.text:
            return False
        self.edited_at = timezone.now()
        self.edits.create(text=former, by=name_at_work())
        _move([self.feedback_id])
        return True

    def audit_name(self) -> str:
        return f"Comment {self.pk}"


class CommentEdit(models.Model):
    """What a comment said until somebody edited it."""

    comment = models.ForeignKey(Comment, models.CASCADE, related_name="edits")
    text = models.TextField()
    # The name of whoever wrote another text in its place.
    by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField("edited", auto_now_add=True)

    tenancy = Tenancy(
        "comment__feedback__feedback_type__project__community",
        "comment__feedback__feedback_type__project",
    )
    privacy = Privacy(
        hidden=("text",), texts=("text",), about=("comment__feedback__submitter",)
    )
    objects = ScopedQuerySet["CommentEdit"].as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = "earlier text of a comment"
        verbose_name_plural = "earlier texts of comments"

    def __str__(self) -> str:
        return self.text[:60]

    def audit_name(self) -> str:
        return f"Comment {self.comment_id}, edited"


def announce_comments(comments: Sequence[Comment]) -> None:
    """Before they are added; a ticket that gets one is modified by it."""
    for comment in comments:
        comment.text = lines(comment.text)
    texts = [(comment.feedback_id, comment.text) for comment in comments]
    with unit() as opened:
        opened.comment(Feedback, texts)
        _move(pk for pk, _ in texts)


def _move(pks: Iterable[int]) -> None:
    """The tickets' dates."""
    with unit() as opened:
        if moved := opened.moved(Feedback, ["comments"]):
            rows = Feedback._base_manager.filter(pk__any_of=sorted({*pks}))
            rows.update(**moved)
