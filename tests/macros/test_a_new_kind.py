"""A kind of step that is one class works everywhere: nothing else names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any, Self

import pytest
from django.apps import apps
from django.db import connection, models
from django.test import Client
from django.urls import reverse

from centerhook.receiver import Receiver
from feedback.access.privacy import Privacy
from feedback.access.roles import Role
from feedback.changes import ChangeChecker
from feedback.models import ApiKey, Feedback, FeedbackType
from logs.models import Attempt, AuditEntry, Resend
from macros import config, deliveries
from macros.http import Request
from macros.models import Macro, Secret, Step, step_kinds
from macros.models.steps import Problems, Settings
from macros.models.usage import macros_needing_key, macros_using
from macros.runs.resend import ResendRefused, resend
from macros.steps.compiled import CompiledRequest, Transport
from macros.steps.dry_run import DryRunRow
from macros.steps.kind import StepForm, StepKind, template_problems
from macros.steps.previews import preview
from macros.steps.rendering import Plan
from macros.tags import OutputContext, RenderContext, Scope, Template, compile_template
from tests import factories

pytestmark = pytest.mark.django_db

TEXT = "((Title)) ((Secret: key))"


@dataclass
class CompiledShout(CompiledRequest):
    transport = Transport.HTTP
    title = "Shout"

    url: str
    text: Template

    @property
    def templates(self) -> list[Template]:
        return [self.text]

    @property
    def words(self) -> str:
        return f"Shout at {self.url}"

    @property
    def origin(self) -> str:
        return self.url.rpartition("/")[0]

    def render(self, context: RenderContext) -> Request:
        return self._request(self.text.render(context))

    def render_masked(self, context: RenderContext) -> Request:
        return self._request(self.text.render_masked(context))

    def _request(self, text: str) -> Request:
        return Request("PUT", self.url, (), text.upper().encode())

    def dry_run(
        self, context: RenderContext, row: DryRunRow, checker: ChangeChecker
    ) -> None:
        row.lines.append(f"Shout for {self.text.render_masked(context)}")

    def bound_to(self, sent: Attempt) -> Self:
        return type(self)(sent.url, Template.literal(sent.request_body))


def a_kind() -> type[StepKind]:
    class Shout(StepKind):
        kind = "shout"
        SETTINGS = ("url", "text")
        URL_SETTING = "url"
        NEEDS_API_KEY = True
        privacy = Privacy(hidden=("text",))
        FORM = StepForm(
            "Shout it out",
            order=5,
            fields=["url", "text"],
            tags=["text"],
        )

        url = models.CharField(max_length=100)
        text = models.TextField()

        class Meta(StepKind.Meta):
            app_label = "macros"
            verbose_name = "shout"

        def __str__(self) -> str:
            return f"Shout “{self.text}”"

        def problems(self, macro: Macro) -> Problems:
            scope = macro.scope()
            return template_problems({"text": lambda: self._template(self.text, scope)})

        @staticmethod
        def _template(text: str, scope: Scope) -> Template:
            return compile_template(text, OutputContext.TEXT, scope)

        @classmethod
        def secret_templates(cls, settings: Settings) -> Mapping[str, OutputContext]:
            return {"text": OutputContext.TEXT}

        @classmethod
        def compile(cls, settings: Settings, scope: Scope) -> CompiledShout:
            text = cls._template(settings["text"], scope)
            return CompiledShout(settings["url"], text)

    return Shout


@pytest.fixture
def kind(db: None) -> Iterator[type[StepKind]]:
    """Defined here and nowhere else; its table goes with the test's transaction."""
    made = a_kind()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE macros_shout (step_ptr_id bigint NOT NULL PRIMARY KEY"
            " REFERENCES macros_step (id) DEFERRABLE INITIALLY DEFERRED,"
            " url varchar(100) NOT NULL, text text NOT NULL)"
        )
    yield made
    del apps.all_models["macros"]["shout"]
    apps.clear_cache()
    del Step.shout  # type: ignore[attr-defined]
    assert "shout" not in step_kinds()


@pytest.fixture
def bugs() -> FeedbackType:
    return factories.feedback_type()


@pytest.fixture
def key(bugs: FeedbackType) -> Secret:
    return factories.secret(bugs, "key", "open-sesame")


@pytest.fixture
def macro(
    kind: type[StepKind], bugs: FeedbackType, key: Secret, receiver: Receiver
) -> Macro:
    step = {"kind": "shout", "url": f"{receiver.url}/ok", "text": TEXT}
    return factories.steps(factories.macro(bugs, name="Loud"), step)


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(factories.superuser("olivia"))
    return client


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


def page_of(macro: Macro) -> str:
    return reverse("admin:macros_macro_change", args=[macro.pk])


def form(macro: Macro, **fields: Any) -> dict[str, Any]:
    return {
        "feedback_type": macro.feedback_type_id,
        "name": macro.name,
        "shout-TOTAL_FORMS": "1",
        "shout-INITIAL_FORMS": "0",
        "shout-0-is_active": "on",
        **{f"shout-0-{name}": value for name, value in fields.items()},
    }


def test_it_compiles_and_says_what_it_does(macro: Macro) -> None:
    plan = Plan.from_snapshot(macro.snapshot())
    assert [step.words for step in plan.steps] == [f"Shout at {plan.steps[0].url}"]  # type: ignore[attr-defined]
    assert plan.origins == {plan.steps[0].origin} and plan.is_all_requests
    assert set(plan.vault.values) == {"key"}


def test_it_is_previewed(macro: Macro, bugs: FeedbackType) -> None:
    factories.ticket(bugs, title="Help")
    factories.steps(macro, {"kind": "add_comment", "text": "Done"})
    shown = preview(macro, Feedback.objects.all())
    [request] = shown.requests
    assert (request.title, request.method, request.body) == (
        "Shout",
        "PUT",
        "HELP ••••••",
    )
    assert [row.lines for row in shown.dry_run] == [
        ["Shout for Help ••••••", "Comment “Done”"]
    ]


def test_it_is_delivered_logged_and_sent_again(
    macro: Macro, bugs: FeedbackType, receiver: Receiver
) -> None:
    factories.ticket(bugs, title="Help")
    run = factories.run(macro)
    deliveries.work(run.pk)
    resend(run.deliveries.all(), Resend.ANEW, factories.superuser("olivia"))
    deliveries.work(run.pk)
    assert [each.body for each in receiver.requests] == [b"HELP OPEN-SESAME"] * 2
    assert [each.request_body for each in Attempt.objects.all()] == ["HELP ••••••"] * 2


def test_its_form_saves_it_and_lists_it(
    kind: type[StepKind], bugs: FeedbackType, key: Secret, page: Client
) -> None:
    made = factories.macro(bugs, name="Loud")
    data = form(made, position=1, url="http://a.example/", text=TEXT)

    response = page.post(page_of(made), data)

    assert response.status_code == 302, text_of(response)
    [step] = made.concrete_steps()
    assert (type(step), str(step)) == (kind, f"Shout “{TEXT}”")
    shown = text_of(page.get(page_of(made)))
    assert "Shout it out" in shown and 'name="shout-0-text"' in shown
    menu = shown[shown.index('data-add="shout-__prefix__"') :]
    assert "changestatus-__prefix__" in menu
    assert "Shout</td>" in text_of(page.get(reverse("admin:macros_macro_changelist")))
    entry = AuditEntry.objects.get(object_type="macros.macro", object_id=made.pk)
    assert "Shout" in str(entry.changes)


def test_a_fault_is_shown_at_its_field(
    kind: type[StepKind], bugs: FeedbackType, page: Client
) -> None:
    made = factories.macro(bugs, name="Loud")
    data = form(made, position=1, url="http://a.example/", text="((Nonsense))")
    assert "unknown tag" in text_of(page.post(page_of(made), data))


def test_a_change_of_it_is_audited_without_what_is_hidden(
    macro: Macro, page: Client
) -> None:
    [step] = macro.concrete_steps()
    data = form(macro, position=1, url="http://b.example/", text="New ((Title))")
    data |= {"shout-INITIAL_FORMS": "1", "shout-0-step_ptr": step.pk}
    data["shout-0-macro"] = macro.pk
    assert page.post(page_of(macro), data).status_code == 302
    changes = AuditEntry.objects.get(object_type="macros.macro").changes
    texts = [value for name, value in changes.items() if name.endswith(": text")]
    assert texts == [["(not shown)", "(not shown)"]]


def test_roles_hold_for_it(macro: Macro, bugs: FeedbackType) -> None:
    for role, sees in [(Role.PROJECT_MANAGER, True), (Role.SUPPORT, False)]:
        client = Client()
        client.force_login(factories.member(bugs, role))
        assert ("shout-0-text" in text_of(client.get(page_of(macro)))) is sees


def test_it_goes_into_a_file_and_comes_back(macro: Macro, bugs: FeedbackType) -> None:
    [step] = macro.concrete_steps()
    typed = f"{TEXT} open-sesame"
    type(step)._default_manager.update(text=typed)

    document = config.export_project(bugs.project)

    [exported] = document["types"][0]["macros"][0]["steps"]
    assert exported["text"] == f"{TEXT} ((Secret: key))"
    assert document["secrets"] == [{"name": "key", "hosts": []}]
    ideas = factories.feedback_type("Idea", "IDEA")
    with pytest.raises(config.SecretsMissing) as missing:
        config.import_document(document, ideas.project)
    assert missing.value.names == ["key"]
    assert "It sends to http://127.0.0.1" in " ".join(missing.value.made.sentences)
    made = config.import_document(document, ideas.project, secrets={"key": "sesame"})
    assert [type(each) for each in made.macros[0].concrete_steps()] == [type(step)]


def test_its_versions_are_compared_by_its_labels(macro: Macro) -> None:
    before = config.macro_document(macro)
    after = {**before, "steps": [{**before["steps"][0], "text": "Hi"}]}
    [difference] = config.differences(before, after)
    assert difference.title == "Step 1, shout: text"


def test_what_uses_a_secret_or_needs_a_key_is_known(
    macro: Macro, key: Secret, bugs: FeedbackType
) -> None:
    assert macros_using(key) == [macro]
    assert list(macros_needing_key(macro.community_id)) == [macro]
    assert not macro.is_locked()
    factories.ticket(bugs)
    run = factories.run(macro)
    deliveries.work(run.pk)
    ApiKey.objects.all().delete()
    assert macro.is_locked()
    with pytest.raises(ResendRefused, match="locked"):
        resend(run.deliveries.all(), Resend.ANEW, factories.superuser("olivia"))


def test_a_run_of_a_kind_that_is_gone_fails_with_a_sentence(bugs: FeedbackType) -> None:
    factories.ticket(bugs)
    run = factories.run(factories.macro(bugs, "https://a.example/"))
    run.snapshot["steps"][0]["kind"] = "gone"
    run.save()
    deliveries.work(run.pk)
    run.refresh_from_db()
    assert (run.failed, Attempt.objects.get().message) == (
        1,
        "This version of CenterHook has no step of the kind 'gone'.",
    )
