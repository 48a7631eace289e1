import pytest

from macros.tags import MASK, OutputContext, RenderError
from tests.tags.subjects import a_context, compiled, rendered

SOURCES = {
    OutputContext.JSON: (
        '["x((Secret: token))", ((Secret: token|upper)), "((Title))"]',
        '["xs3cr3t", "S3CR3T", "Login fails"]',
        f'["x{MASK}", "{MASK}", "Login fails"]',
    ),
    OutputContext.URL: (
        "((Secret: slack_url))/((Secret: token))?t=((Title))",
        "https://hooks.example.com/T0/B0/s3cr3t?t=Login%20fails",
        f"{MASK}/{MASK}?t=Login%20fails",
    ),
    OutputContext.HEADER: (
        "Basic ((Secret: token|base64)) ((Title))",
        "Basic czNjcjN0 Login fails",
        f"Basic {MASK} Login fails",
    ),
    OutputContext.FORM: (
        "token=((Secret: token))\nt=((Title))",
        "token=s3cr3t&t=Login+fails",
        f"token={MASK}&t=Login+fails",
    ),
    OutputContext.XML: (
        "<a b='((Secret: token))'><![CDATA[((Secret: token))]]>((Title))</a>",
        "<a b='s3cr3t'><![CDATA[]]>s3cr3t<![CDATA[]]>Login fails</a>",
        f"<a b='{MASK}'><![CDATA[{MASK}]]>Login fails</a>",
    ),
    OutputContext.TEXT: (
        "((Secret: token|truncate:3)) ((Title))",
        "s3… Login fails",
        f"{MASK} Login fails",
    ),
}


@pytest.mark.parametrize("output", SOURCES)
def test_a_secret_is_sent_and_shown_as_a_mask(output):
    source, sent, shown = SOURCES[output]
    template = compiled(source, output)
    assert template.uses_secrets
    assert template.render(a_context()) == sent
    assert template.render_masked(a_context()) == shown


def test_every_place_is_masked():
    assert set(SOURCES) == set(OutputContext)


def test_without_secrets_the_masked_result_is_the_result():
    template = compiled("((Title)) ((External: token))")
    assert not template.uses_secrets
    assert template.render_masked(a_context()) == template.render(a_context())


def test_a_mask_does_not_tell_whether_there_is_a_value():
    template = compiled("((Secret: token|required|truncate:1))")
    assert template.render_masked(a_context(secrets={})) == MASK


def test_a_secret_without_value_is_empty():
    assert compiled("[((Secret: token))]").render(a_context(secrets={})) == "[]"
    template = compiled("((Secret: token)) ((Title))")
    assert template.empty_tags(a_context(secrets={})) == ["Secret: token"]


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("((Secret: token))", OutputContext.URL),
        ("https://x:((Secret: token))/", OutputContext.URL),
        ("((Secret: token))", OutputContext.HEADER),
        ("((Secret: token|date:%Y))", OutputContext.TEXT),
    ],
)
def test_an_error_never_quotes_a_secret(source, output):
    template = compiled(source, output)
    with pytest.raises(RenderError) as caught:
        template.render(a_context(secrets={"token": "hush\nhush"}))
    assert "hush" not in f"{caught.value!r} {caught.value}"
    assert caught.value.__cause__ is None


def test_a_value_cannot_name_a_secret():
    source = '{"a": "((Title))", "b": ((Title))}'
    assert rendered(source, OutputContext.JSON, title="((Secret: token))") == (
        '{"a": "((Secret: token))", "b": "((Secret: token))"}'
    )
