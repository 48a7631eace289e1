"""A project's types and macros: out to a file, in from one, and into a clone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import slugify
from django.views.decorators.debug import sensitive_post_parameters

from logs import audit
from logs.models import Action
from macros import config
from macros.config import ConfigRefused, Existing, SecretsMissing

from ..access.actors import may
from ..console.scoping import ScopedAdmin
from ..models import Project

_TYPES = {"yaml": "application/yaml", "json": "application/json"}
_ADD_MACRO, _ADD_PROJECT = "macros.add_macro", "feedback.add_project"
_VALUE = "secret_"
View = Callable[..., HttpResponse]


class ImportForm(forms.Form):
    file = forms.FileField(required=False, help_text="As it was exported.")
    text = forms.CharField(
        label="or its text",
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 12, "class": "code", "spellcheck": "false"}
        ),
    )
    existing = forms.ChoiceField(
        label="Where a macro's name is taken",
        choices=Existing.choices,
        initial=Existing.REFUSE,
        widget=forms.RadioSelect({"class": "radiolist"}),
        help_text="A feedback type that is there already stays as it is, and gets the"
        " macros, unless the file is refused.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if file := cleaned.get("file"):
            if file.size > config.MAX_BYTES:
                problem = f"The file is longer than {config.MAX_BYTES:,} bytes."
                raise forms.ValidationError(problem)
            try:
                cleaned["text"] = file.read().decode()
            except UnicodeDecodeError:
                problem = "The file is not text in UTF-8."
                raise forms.ValidationError(problem) from None
        if not cleaned.get("text") and not self.errors:
            raise forms.ValidationError("Choose a file, or paste its text.")
        return cleaned


class CloneForm(forms.Form):
    name = forms.CharField(max_length=100, label="Name of the new project")


class ConfigPages(ScopedAdmin[Project]):
    """The pages beside a project's own."""

    def get_urls(self) -> list[URLPattern]:
        def page(view: View, name: str) -> URLPattern:
            wrapped = self.admin_site.admin_view(sensitive_post_parameters()(view))
            made: URLPattern = path(
                f"<row:pk>/{name}/", wrapped, name=f"feedback_project_{name}"
            )
            return made

        return [
            page(self.export, "export"),
            page(self.import_, "import"),
            page(self.clone, "clone"),
            *super().get_urls(),
        ]

    def export(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Only a POST exports: it leaves an entry in the audit log."""
        project = self._project(request, pk, _ADD_MACRO)
        form = request.POST.get("format", "")
        if request.method != "POST" or form not in _TYPES:
            return HttpResponseRedirect(_page_of(project))
        try:
            document = config.export_project(project)
        except ConfigRefused as refusal:
            for problem in refusal.problems:
                messages.error(request, f"Nothing was exported. {problem}")
            return HttpResponseRedirect(_page_of(project))
        text = config.write(document, form)
        audit.record(Action.EXPORTED, project, detail="Types and macros.")
        response = HttpResponse(text, content_type=f"{_TYPES[form]}; charset=utf-8")
        name = slugify(project.name) or "project"
        response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
        return response

    def import_(self, request: HttpRequest, pk: int) -> HttpResponse:
        """First POST: what would be made, and which secrets it needs. Second: do it."""
        project = self._project(request, pk, _ADD_MACRO)
        posted = request.method == "POST"
        form = ImportForm(request.POST, request.FILES) if posted else ImportForm()
        shown: dict[str, object] = {}
        if posted and form.is_valid():
            confirmed = "confirmed" in request.POST
            try:
                imported = _import(form, project, request, dry_run=not confirmed)
            except ConfigRefused as refusal:
                shown = _refused(refusal, request)
            else:
                if confirmed:
                    messages.success(request, f"Imported: {imported.in_words()}.")
                    return HttpResponseRedirect(_page_of(project))
                shown = {"planned": imported}
            shown["text"] = form.cleaned_data["text"]
        title = f"Import into {project}"
        return self._config_page(request, project, "import", title, form, shown)

    def clone(self, request: HttpRequest, pk: int) -> HttpResponse:
        project = self._project(request, pk, _ADD_PROJECT)
        form = CloneForm(
            request.POST or None, initial={"name": f"Copy of {project.name}"[:100]}
        )
        shown: dict[str, object] = {}
        if request.method == "POST" and form.is_valid():
            name = form.cleaned_data["name"]
            try:
                made = config.clone_project(
                    project, name, request.user, _values(request)
                )
            except ConfigRefused as refusal:
                shown = _refused(refusal, request)
            else:
                messages.success(request, f"{made} has the types and macros now.")
                return HttpResponseRedirect(_page_of(made))
        title = f"Clone {project}"
        return self._config_page(request, project, "clone", title, form, shown)

    def _project(self, request: HttpRequest, pk: int, permission: str) -> Project:
        project = self.row_to(request, "feedback.change_project", pk)
        above = project.community if permission == _ADD_PROJECT else project
        if not may(request.user, permission, above):
            raise PermissionDenied
        return project

    def _config_page(
        self,
        request: HttpRequest,
        project: Project,
        name: str,
        title: str,
        form: forms.Form,
        shown: Mapping[str, object],
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "project": project,
            "form": form,
            **shown,
        }
        template = f"admin/feedback/project/{name}.html"
        return TemplateResponse(request, template, context)


def _page_of(project: Project) -> str:
    return reverse("admin:feedback_project_change", args=[project.pk])


def _values(request: HttpRequest) -> dict[str, str]:
    return {
        name.removeprefix(_VALUE): value
        for name, value in request.POST.items()
        if name.startswith(_VALUE) and isinstance(value, str)
    }


def _import(
    form: ImportForm, project: Project, request: HttpRequest, *, dry_run: bool
) -> config.Imported:
    """Raises ConfigRefused, SecretsMissing."""
    asked = form.cleaned_data
    return config.import_document(
        config.read(asked["text"]),
        project,
        actor=request.user,
        secrets=_values(request),
        existing=Existing(asked["existing"]),
        dry_run=dry_run,
    )


def _refused(refusal: ConfigRefused, request: HttpRequest) -> dict[str, object]:
    """What the page shows of a refusal: its problems, or the secrets it asks for."""
    if isinstance(refusal, SecretsMissing):
        asked = bool(_values(request))
        return {"missing": refusal.names, "asked": asked, "planned": refusal.made}
    return {"problems": refusal.problems}
