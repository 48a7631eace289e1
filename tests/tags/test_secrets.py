import pytest

from macros.tags import FILTERS, MASK, OutputContext, RenderError
from tests.tags.subjects import a_context, compiled, problems, rendered

SOURCES = {
    OutputContext.JSON: (
        '["x((Secret: token))", ((Secret: token|base64)), "((Title))"]',
        '["xs3cr3t", "czNjcjN0", "Login fails"]',
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
        "((Secret: token|json)) ((Title))",
        '"s3cr3t" Login fails',
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
    template = compiled("((Secret: token|url))")
    assert template.render_masked(a_context(secrets={})) == MASK


def test_no_list_of_empty_tags_tells_of_a_secret():
    template = compiled("((Secret: token)) ((External: none))")
    for secrets in ({}, {"token": ""}, {"token": "s3cr3t"}):
        assert template.empty_tags(a_context(secrets=secrets)) == ["External: none"]


@pytest.mark.parametrize("name", FILTERS)
def test_a_secret_takes_only_filters_that_keep_it_whole(name):
    written = FILTERS[name].example.strip("()").partition("|")[2]
    source = f'{{"email": "((Secret: token|base64|{written}))"}}'
    refused = problems(source, OutputContext.JSON)
    if name in ("json", "url"):
        assert refused == []
        return
    why = "on the secret twice" if name == "base64" else "would tell a part"
    assert len(refused) == 1 and why in refused[0]
    assert refused[0].startswith("Line 1, column 35")


def test_each_filter_stands_on_a_secret_once():
    assert problems("((Secret: token|url|json|base64))") == []
    assert problems("((Secret: token|url|json|URL))") == [
        "Line 1, column 26: the filter url is on the secret twice."
    ]
    assert problems("((Title|url|upper|url))") == []


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("((Secret: token))", OutputContext.URL),
        ("https://x.example:((Secret: token))/", OutputContext.URL),
        ("((Secret: token))", OutputContext.HEADER),
        ("https://((Secret: token)).example/", OutputContext.URL),
        ("((Secret: token))/x", OutputContext.URL),
    ],
)
def test_an_error_never_quotes_a_secret(source, output):
    template = compiled(source, output)
    with pytest.raises(RenderError) as caught:
        template.render(a_context(secrets={"token": "hush\nhush"}))
    assert str(caught.value) in (
        "The tag ((Secret: token)) can't be sent as it is.",
        "The URL can't be sent with the value of its secret.",
    )
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "value",
    [
        "ftp://a.example/",
        "https://",
        "https://a@b.example/",
        "https://h:x/",
        "https://h/../y",
        "https://<h>/",
        "not a URL",
    ],
)
def test_every_fault_of_a_whole_url_reads_alike(value):
    with pytest.raises(RenderError) as caught:
        compiled("((Secret: token))/", OutputContext.URL).render(
            a_context(secrets={"token": value})
        )
    assert "can't be sent" in str(caught.value)
    assert not any(word in str(caught.value) for word in ("host", "begin", "space"))


def test_a_value_cannot_name_a_secret():
    source = '{"a": "((Title))", "b": ((Title))}'
    assert rendered(source, OutputContext.JSON, title="((Secret: token))") == (
        '{"a": "((Secret: token))", "b": "((Secret: token))"}'
    )
