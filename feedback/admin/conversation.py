"""What belongs to a ticket on its page: its comments and its files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Exists, OuterRef, QuerySet
from django.http import FileResponse, Http404, HttpRequest
from django.urls import URLPattern, path

from logs.models import Run

from ..access.actors import may
from ..access.roles import ADD_ATTACHMENT, VIEW_ATTACHMENT
from ..attachments.adding import Checked, FileRefused, add, check
from ..attachments.giving import response_with
from ..changes.signals import deleted
from ..console.scoping import ScopedInline
from ..models import Attachment, Comment, Feedback


class CommentInline(ScopedInline, admin.TabularInline):
    """A conversation, the oldest comment first, with a box for the next one."""

    model = Comment
    template = "admin/feedback/feedback/comments.html"
    extra = 1
    fields = ["text"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        runs = Run.objects.filter(pk=OuterRef("run_number"))
        rows = super().get_queryset(request).select_related("author")
        signed: QuerySet = rows.annotate(has_run=Exists(runs))
        return signed.prefetch_related("edits")

    def get_formset(self, *args: Any, **kwargs: Any) -> Any:
        formset = super().get_formset(*args, **kwargs)
        if "text" in formset.form.base_fields:
            widget = forms.Textarea(attrs={"rows": 3})
            formset.form.base_fields["text"].widget = widget
        return formset


class FilesWidget(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Files that may be stored on the form's ticket. Cleaned: a list of Checked."""

    widget = FilesWidget

    def clean(self, data: Any, initial: Any = None) -> list[Checked]:
        given: Sequence[UploadedFile] = data or []
        try:
            return check(given, self.ticket)
        except FileRefused as refusal:
            raise ValidationError(str(refusal)) from refusal

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)

    ticket: Feedback | None = None


def save_files(request: HttpRequest, form: Any) -> None:
    """Add the files that were chosen in a ticket's form, and delete the ticked ones."""
    ticket, given = form.instance, form.cleaned_data
    if gone := given.get("detach"):
        if not may(request.user, "feedback.delete_attachment", ticket):
            raise PermissionDenied
        deleted.send(Attachment, rows=gone)
        gone.delete()
    if files := given.get("attach"):
        if not may(request.user, ADD_ATTACHMENT, ticket):
            raise PermissionDenied
        add(ticket, files, author=request.user)


def urls(page: Any) -> list[URLPattern]:
    """Below the list of tickets; `page` is its admin."""

    def view(request: HttpRequest, pk: int, number: int) -> FileResponse:
        return _download(page, request, pk, number)

    name = "feedback_feedback_attachment"
    served = page.admin_site.admin_view(view)
    return [path("<row:pk>/files/<row:number>/", served, name=name)]


def _download(page: Any, request: HttpRequest, pk: int, number: int) -> FileResponse:
    """A file of a ticket that the user may see. Raises Http404."""
    page.row_to(request, VIEW_ATTACHMENT, pk)
    row = Attachment.objects.filter(feedback=pk, pk=number).first()
    if row is None:
        raise Http404("There is no such attachment on this ticket: it was deleted.")
    return response_with(row)
