"""Start from: a short form becomes a new macro, and nothing that exists changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from centerhook.receiver import Receiver
from feedback.access.roles import Role
from feedback.models import FeedbackType
from logs.models import Delivery
from macros import deliveries
from macros.authoring.presets import all_presets
from macros.models import Macro, Secret
from macros.steps.kinds.web_request import WebRequest
from tests import factories

CHOOSER = reverse("admin:macros_macro_new")
VALUE = "https://hooks.slack.com/services/T0/B0/not-to-be-seen"
NEW = {"secret_slack_url_name": "slack_url", "secret_slack_url_value": VALUE}


@pytest.fixture
def bugs(db: None) -> FeedbackType:
    return factories.feedback_type()


def form_page(preset: str) -> str:
    return reverse("admin:macros_macro_new_preset", args=[preset])


def form(bugs: FeedbackType, **values: str) -> dict[str, str]:
    return {
        "feedback_type": str(bugs.pk),
        "name": "To Slack",
        "keep_in": "project",
        **values,
    }


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200, "nothing was refused"
    assert "not-to-be-seen" not in response.content.decode()
    assert not Macro.objects.exists() and not WebRequest.objects.exists()
    return dict(response.context["form"].errors)


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_every_preset_is_offered_under_its_group_with_a_page(
    page: Client, bugs: FeedbackType
) -> None:
    html = page.get(CHOOSER).content.decode()
    for preset in all_presets().values():
        assert form_page(preset.id) in html
        shown = page.get(form_page(preset.id)).content.decode()
        assert preset.documentation.replace("&", "&amp;") in shown
        for each in (*preset.settings, *preset.secrets):
            assert each.key in shown
        for name in preset.returned:
            assert f"((External: {name}))" in shown


def test_the_list_is_searched_by_vendor_and_by_words(
    page: Client, bugs: FeedbackType
) -> None:
    def problems(query: str) -> list[str]:
        groups = page.get(CHOOSER, {"q": query}).context["groups"]
        return [preset.id for _, presets in groups for preset in presets]

    assert problems("DISCORD") == ["discord"]
    assert problems("jira comment") == ["jira-comment"]
    assert problems("nothing like it") == []
    html = page.get(CHOOSER, {"q": "<b>x"}).content.decode()
    assert "No preset has &lt;b&gt;x in it" in html


def test_lists_and_forms_lead_here_and_the_type_comes_along(
    page: Client, bugs: FeedbackType
) -> None:
    query = f"?feedback_type={bugs.pk}"
    macros = page.get(reverse("admin:macros_macro_changelist") + query)
    assert f"{CHOOSER}{query}" in macros.content.decode()
    assert CHOOSER in page.get(reverse("admin:macros_macro_add")).content.decode()
    assert f"{form_page('github')}{query}" in page.get(CHOOSER + query).content.decode()
    chosen = page.get(form_page("github") + query).content.decode()
    assert f'<option value="{bugs.pk}" selected>' in chosen


def test_a_macro_is_made_with_its_secret(page: Client, bugs: FeedbackType) -> None:
    response = page.post(form_page("slack-blocks"), form(bugs, **NEW), follow=True)
    macro, secret = Macro.objects.get(), Secret.objects.get()
    change = reverse("admin:macros_macro_change", args=[macro.pk])
    assert response.redirect_chain == [(change, 302)]
    html = response.content.decode()
    assert "not-to-be-seen" not in html
    assert "The macro To Slack is made. Nothing has been sent." in html
    assert "New secrets: slack_url." in html
    assert (macro.name, macro.feedback_type) == ("To Slack", bugs)
    assert macro.description == all_presets()["slack-blocks"].summary
    step = WebRequest.objects.get()
    assert (step.url, step.position) == ("((Secret: slack_url))", 1)
    assert secret.reveal() == VALUE
    assert (secret.project, secret.hosts) == (bugs.project, "hooks.slack.com")


@pytest.mark.parametrize("name", list(all_presets()))
def test_every_preset_makes_a_macro_that_can_be_saved_again(
    page: Client, bugs: FeedbackType, name: str
) -> None:
    preset = all_presets()[name]
    values = {
        f"setting_{each.key}": each.default or each.example for each in preset.settings
    }
    for need in preset.secrets:
        values[f"secret_{need.key}_name"] = need.name
        values[f"secret_{need.key}_value"] = VALUE
    if preset.subject_kind == "tester":
        values["testers_of"] = f"project-{bugs.project_id}"
    response = page.post(form_page(name), form(bugs, **values))
    assert response.status_code == 302, response.context["form"].errors
    macro = Macro.objects.get()
    owner = bugs.project if preset.subject_kind == "tester" else bugs
    assert macro.owner == owner, "a tester preset takes no type, another no testers"
    step = WebRequest.objects.get()
    assert [row["name"] for row in step.return_values] == preset.returned
    step.full_clean(exclude=["step_ptr"])


def test_settings_become_text_of_the_request(page: Client, bugs: FeedbackType) -> None:
    values = {
        "setting_site": "https://jira.example:8443/",
        "setting_email": "me@example.com",
        "setting_project": 'Q"A ((Title))',
        "setting_issue_type": "Bug",
        "secret_jira_token_name": "Jira login",
        "secret_jira_token_value": "not-to-be-seen",
    }
    page.post(form_page("jira-create"), form(bugs, keep_in="community", **values))
    step, secret = WebRequest.objects.get(), Secret.objects.get()
    assert step.url == "https://jira.example:8443/rest/api/3/issue"
    assert (step.auth_kind, step.auth_user) == ("basic", "me@example.com")
    assert step.auth_secret == "Jira login"
    assert r'{"key": "Q\"A \((Title\))"}' in step.body
    assert (secret.project, secret.hosts) == (None, "jira.example:8443")


def test_a_secret_that_is_there_is_used_by_name(
    page: Client, bugs: FeedbackType
) -> None:
    factories.secret(bugs, "Slack Main")
    html = page.get(form_page("slack-text")).content.decode()
    assert '<option value="Slack Main">' in html
    page.post(form_page("slack-text"), form(bugs, secret_slack_url_name="slack main"))
    assert WebRequest.objects.get().url == "((Secret: slack main))"
    assert Secret.objects.get().name == "Slack Main"


def test_a_macro_or_secret_that_is_there_is_never_touched(
    page: Client, bugs: FeedbackType
) -> None:
    factories.secret(bugs, "slack_url", "https://old.example/old-value")
    problems = errors(page.post(form_page("slack-text"), form(bugs, **NEW)))
    assert list(problems) == ["secret_slack_url_name"]
    assert (
        "There is a secret 'slack_url' already." in problems["secret_slack_url_name"][0]
    )
    assert Secret.objects.get().reveal() == "https://old.example/old-value"

    macro = factories.macro(bugs, "https://mine.example/", name="To Slack")
    new = {**NEW, "secret_slack_url_name": "another"}
    response = page.post(form_page("slack-text"), form(bugs, **new))
    assert response.context["form"].errors == {
        "name": ["The type has a macro of this name."]
    }
    assert list(Macro.objects.all()) == [macro]
    assert WebRequest.objects.get().url == "https://mine.example/"
    assert Secret.objects.count() == 1, "the new secret is undone with the macro"


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        (
            {**NEW, "secret_slack_url_value": ""},
            "secret_slack_url_value",
            "There is no secret 'slack_url' for Phone Beta yet. Enter its value.",
        ),
        (
            {**NEW, "secret_slack_url_value": "not-to-be-seen"},
            "secret_slack_url_value",
            "This is not a valid URL.",
        ),
        (
            {**NEW, "secret_slack_url_value": "x"},
            "secret_slack_url_value",
            "Ensure this value has at least 6 characters (it has 1).",
        ),
        (
            {**NEW, "secret_slack_url_name": "((x))"},
            "secret_slack_url_name",
            "Use letters, digits, spaces, dots, hyphens, underscores.",
        ),
        ({**NEW, "name": ""}, "name", "This field is required."),
        ({**NEW, "feedback_type": "0"}, "feedback_type", "Select a valid choice."),
    ],
)
def test_what_cannot_be_is_said_at_its_field(
    page: Client, bugs: FeedbackType, values: dict[str, str], field: str, message: str
) -> None:
    problems = errors(page.post(form_page("slack-text"), form(bugs, **values)))
    assert list(problems) == [field]
    assert problems[field][0].startswith(message)
    assert not Secret.objects.exists()


SHIPPO = {
    "name": "Check addresses",
    "secret_shippo_token_name": "shippo_token",
    "secret_shippo_token_value": "not-to-be-seen",
}


@pytest.mark.parametrize("kind", ["community", "project"])
def test_a_preset_for_testers_asks_whose_and_makes_a_user_macro(
    page: Client, bugs: FeedbackType, kind: str
) -> None:
    project, community = bugs.project, bugs.project.community
    html = page.get(form_page("shippo")).content.decode()
    assert "It makes a user macro" in html and 'name="feedback_type"' not in html
    assert f'<option value="community-{community.pk}">All testers of' in html
    owner = {"community": community, "project": project}[kind]

    data = {**SHIPPO, "testers_of": f"{kind}-{owner.pk}", "keep_in": "project"}
    response = page.post(form_page("shippo"), data, follow=True)

    assert "Try it on one tester first." in response.content.decode()
    macro, secret = Macro.objects.get(), Secret.objects.get()
    assert (macro.owner, macro.subject_kind, macro.community) == (
        owner,
        "tester",
        community,
    )
    # In a macro of the whole community there is no project to keep it in.
    assert secret.project == (project if kind == "project" else None)


def test_testers_are_asked_for_and_must_be_ones_own(bugs: FeedbackType) -> None:
    manager = factories.member(bugs, Role.PROJECT_MANAGER, in_project=True)
    client = as_user(manager)
    for wrong in ("", f"community-{bugs.project.community_id}", "project-0", "x"):
        problems = errors(
            client.post(form_page("shippo"), {**SHIPPO, "testers_of": wrong})
        )
        assert list(problems) == ["testers_of"]
    own = {**SHIPPO, "testers_of": f"project-{bugs.project_id}"}
    assert client.post(form_page("shippo"), own).status_code == 302
    response = client.post(
        form_page("shippo"), {**own, "secret_shippo_token_value": ""}
    )
    assert (
        response.context["form"].errors
        == {"__all__": ["The project has a user macro of this name."]}
        or "name" in response.context["form"].errors
    )


def test_a_locked_community_gets_no_macro(page: Client, bugs: FeedbackType) -> None:
    bugs.project.community.api_keys.all().delete()
    [problem] = errors(page.post(form_page("slack-text"), form(bugs, **NEW)))[
        "feedback_type"
    ]
    assert problem.startswith("Web requests are locked: the community Community")
    assert not Secret.objects.exists()


def test_a_bad_setting_is_said_at_its_field(page: Client, bugs: FeedbackType) -> None:
    values = {"setting_url": "ftp://a.example"}
    problems = errors(page.post(form_page("any-json"), form(bugs, **values)))
    assert list(problems) == ["setting_url"]
    assert "is not a URL such as https://api.example.com" in problems["setting_url"][0]


def test_roles_decide_where_macros_and_secrets_may_be(bugs: FeedbackType) -> None:
    theirs = factories.feedback_type()
    manager = factories.member(bugs, Role.PROJECT_MANAGER, in_project=True)
    factories.member(theirs, Role.SUPPORT, manager.username)
    factories.secret(theirs, "theirs only")
    client = as_user(manager)

    html = client.get(form_page("slack-text")).content.decode()
    assert f'value="{bugs.pk}"' in html and f'value="{theirs.pk}"' not in html
    assert "theirs only" not in html and "keep_in" not in html
    assert list(errors(client.post(form_page("slack-text"), form(theirs, **NEW)))) == [
        "feedback_type"
    ]
    used = form(bugs, secret_slack_url_name="theirs only")
    [problem] = errors(client.post(form_page("slack-text"), used))[
        "secret_slack_url_value"
    ]
    assert problem.startswith("There is no secret 'theirs only'")

    client.post(form_page("slack-text"), form(bugs, keep_in="community", **NEW))
    assert Secret.objects.get(key="slack_url").project == bugs.project


def test_a_manager_of_another_community_cannot_put_a_secret_into_this_one(
    bugs: FeedbackType,
) -> None:
    other = factories.feedback_type()
    manager = factories.member(bugs, Role.PROJECT_MANAGER, in_project=True)
    factories.member(other, Role.COMMUNITY_MANAGER, manager.username)
    data = form(bugs, keep_in="community", **NEW)
    problems = errors(as_user(manager).post(form_page("slack-text"), data))
    assert problems == {
        "secret_slack_url_name": ["You may not add secrets to the community."]
    }
    assert not Secret.objects.exists()


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.OBSERVER])
def test_who_may_not_add_macros_finds_no_page(bugs: FeedbackType, role: str) -> None:
    client = as_user(factories.member(bugs, role))
    curl = reverse("admin:macros_macro_new_curl")
    for url in (CHOOSER, form_page("slack-text"), curl):
        assert client.get(url).status_code == 403
        assert client.post(url, form(bugs, **NEW)).status_code == 403
    assert not Macro.objects.exists()


def test_without_a_login_or_with_a_wrong_name_there_is_nothing(page: Client) -> None:
    assert Client().get(CHOOSER).status_code == 302
    assert page.get(form_page("no-such-preset")).status_code == 404


def test_a_key_that_jira_returns_is_kept_and_used_by_the_next_macro(
    page: Client, bugs: FeedbackType, receiver: Receiver
) -> None:
    ticket = factories.ticket(bugs, title="It breaks")
    values = {
        "setting_site": f"{receiver.url}/jira",
        "setting_email": "me@example.com",
        "setting_project": "QA",
        "setting_issue_type": "Bug",
        "secret_jira_token_name": "jira_token",
        "secret_jira_token_value": "s3cr3t-token",
    }
    page.post(form_page("jira-create"), form(bugs, **values))
    del values["secret_jira_token_value"]
    page.post(form_page("jira-comment"), form(bugs, **{**values, "name": "Comment"}))

    for macro in Macro.objects.order_by("pk"):
        deliveries.work(factories.run(macro).pk)

    ticket.refresh_from_db()
    key = ticket.external_data["jira_key"]
    assert key.startswith("DEMO-")
    create, comment = receiver.requests
    assert create.target == "/jira/rest/api/3/issue"
    assert comment.target == f"/jira/rest/api/3/issue/{key}/comment"
    assert "Basic bWVAZXhhbXBsZS5jb206czNjcjN0LXRva2Vu" in dict(create.headers).values()


@pytest.mark.parametrize("preset", ["slack-blocks", "n8n", "any-form", "any-xml"])
def test_from_the_form_to_the_wire(
    page: Client, bugs: FeedbackType, receiver: Receiver, preset: str
) -> None:
    title = 'He said "<b>&amp;</b>" ((Title)) 🙂'
    factories.ticket(bugs, title=title, description=f"{title}\n" * 3)
    values = {"setting_url": f"{receiver.url}/ok/hook"}
    for need in all_presets()[preset].secrets:
        values[f"secret_{need.key}_name"] = need.name
        values[f"secret_{need.key}_value"] = f"{receiver.url}/ok/hook"
    assert page.post(form_page(preset), form(bugs, **values)).status_code == 302

    run = factories.run(Macro.objects.get())
    deliveries.work(run.pk)

    assert [each.state for each in Delivery.objects.all()] == ["delivered"]
    [request] = receiver.requests
    assert request.target == "/ok/hook"
    if preset == "n8n":
        assert request.json()["title"] == title
    elif preset == "slack-blocks":
        blocks = json.loads(request.body)["blocks"]
        assert blocks[0]["text"]["text"] == f"BUG-1 {title}"
        assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in blocks[2]["text"]["text"]
