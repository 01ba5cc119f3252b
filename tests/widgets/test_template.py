"""Widget templates: what openai-chatkit makes of a template and data, ours makes too; what is wrong is said with its
place; and a text that grows is rendered once."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatkit_asgi.errors import WidgetTemplateError
from chatkit_asgi.server import stream_widget
from chatkit_asgi.types import ThreadMetadata
from chatkit_asgi.widgets import BasicRoot, DynamicWidgetRoot, WidgetTemplate

jinja2 = pytest.importorskip("jinja2")
pytest.importorskip("jsonschema_rs")

FOLDER = Path(__file__).parent / "templates"
MAIL: dict[str, Any] = {
    "subject": 'Re: <b>Ada\'s</b> & "co"',
    "body": "Dear Ada,\n\tça va? 👩‍🚀",
    "cc": [],
    "streaming": True,
    "draft": {"id": 7, "none": None},
}


def template(source: str, **definition: Any) -> WidgetTemplate:
    return WidgetTemplate({"version": "1.0", "name": "test", "template": source, **definition})


def test_importing_the_widgets_loads_no_template_library() -> None:
    code = (
        "import sys, chatkit_asgi.widgets as w; w.WidgetTemplate;"
        "print([m for m in ('jinja2', 'jsonschema_rs') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


# --- building, as the reference does

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
items = st.fixed_dictionaries(
    {
        "id": st.text(max_size=8),
        "icon": st.none() | st.sampled_from(["bolt", ""]),
        "title": st.text(max_size=30),
        "done": st.booleans(),
    }
)
lists = st.fixed_dictionaries(
    {
        "items": st.lists(items, max_size=4),
        "limit": st.integers(1, 9) | st.just("auto"),
        "status": st.none() | st.text(max_size=9),
    }
)
mails = st.fixed_dictionaries(
    {
        "subject": st.text(max_size=30),
        "body": st.text(),
        "cc": st.lists(st.sampled_from(["a@b.test", "c@d.test"]), max_size=3),
        "streaming": st.booleans(),
        "draft": json_values,
    }
)


def theirs(name: str, data: Any) -> Any:
    chatkit = pytest.importorskip("chatkit.widgets")
    made = chatkit.WidgetTemplate.from_file(str(FOLDER / name)).build(data)
    return json.loads(made.model_dump_json(exclude_none=True))


def without_nulls(value: Any) -> Any:
    """What the reference does to every widget (departure V11)."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value if inner is not None]
    return value


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.tuples(st.just("list.widget"), lists) | st.tuples(st.just("mail.widget"), mails))
def test_the_same_template_and_data_make_the_references_widget(case: tuple[str, Any]) -> None:
    name, data = case
    ours = WidgetTemplate.from_file(FOLDER / name).build(data)
    assert type(ours) is DynamicWidgetRoot
    assert without_nulls(json.loads(ours.model_dump_json())) == without_nulls(theirs(name, data))


def test_data_is_a_dict_a_model_a_struct_or_a_dataclass() -> None:
    source = '{"type": "Card", "children": [{"type": "Text", "value": {{ who.name | tojson }} }]}'

    class Who(pydantic.BaseModel):
        name: str

    class Model(pydantic.BaseModel):
        who: Who

    class Struct(msgspec.Struct):
        who: dict[str, str]

    @dataclasses.dataclass
    class Data:
        who: dict[str, str]

    who = {"name": "Ada"}
    for data in ({"who": who}, Model(who=Who(name="Ada")), Struct(who), Data(who)):
        assert template(source).build(data).children[0].value == "Ada"
    assert template('{"type": "Basic"}').build() == {"type": "Basic"}


def test_a_basic_root_may_be_built_by_its_old_name() -> None:
    assert type(template('{"type": "Basic", "gap": 2}').build_basic()) is BasicRoot
    with pytest.raises(WidgetTemplateError, match=r"\$\.type: expected 'Basic', got 'Card'"):
        template('{"type": "Card"}').build_basic()


def test_a_template_that_the_author_compiled_keeps_its_environment() -> None:
    import jinja2

    lenient = jinja2.Template('{"type": "Card", "children": [], "theme": "{{ missing }}"}')
    assert WidgetTemplate({"version": "1.0", "name": "x", "template": lenient}).build() == {
        "type": "Card",
        "children": [],
        "theme": "",
    }


def test_a_title_with_half_a_surrogate_pair_is_built() -> None:
    built = template('{"type": "Card", "theme": {{ t | tojson }} }').build({"t": "a\ud800"})
    assert json.loads(built.model_dump_json())["theme"] == "a\ufffd"


# --- files


def test_a_relative_path_starts_at_the_callers_file() -> None:
    assert WidgetTemplate.from_file("templates/list.widget").name == "list"
    assert WidgetTemplate.from_file("list.widget", folder=FOLDER).name == "list"
    with pytest.raises(FileNotFoundError, match="nowhere"):
        WidgetTemplate.from_file("nowhere.widget")


def test_a_file_is_compiled_again_only_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "x.widget"

    def write(theme: str, mtime: int) -> None:
        source = json.dumps({"type": "Card", "theme": theme})
        path.write_text(json.dumps({"version": "1.0", "name": theme, "template": source}))
        os.utime(path, (mtime, mtime))

    write("dark", 1)
    first = WidgetTemplate.from_file(path)
    assert WidgetTemplate.from_file(path) is first
    assert first.template is first.template
    write("pale", 2)
    assert WidgetTemplate.from_file(path).build().theme == "pale"


# --- what is wrong is said with its place


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{\n "version": "1.0",,}', r"x\.widget: line 2, column 19: "),
        (b"\xff", r"x\.widget: byte 0: not UTF-8"),
        (b"[]", r"x\.widget: \$: expected an object, got list"),
        (b'{"version": "1.0", "name": "x"}', r"x\.widget: \$: there is no 'template'"),
        (
            b'{"version": 1.0, "name": "x", "template": ""}',
            r"\$\.version: only '1\.0' is supported, not 1\.0",
        ),
        (
            b'{"version": "1.0", "name": "x", "template": 3}',
            r"\$\.template: expected Jinja source, got int",
        ),
        (b" " * (1024 * 1024 + 1), r"x\.widget: more than 1048576 bytes"),
    ],
)
def test_a_broken_file_is_named_with_the_place(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "x.widget"
    path.write_bytes(content)
    with pytest.raises(WidgetTemplateError, match=says):
        WidgetTemplate.from_file(path)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{% if %}", r"\$\.template, line 1: Expected an expression"),
        (
            "{\n\n{{ missing | tojson }}",
            r"\$\.template, line 3: UndefinedError: 'missing' is undefined",
        ),
        ("{\n{{ missing }}", r"\$\.template, line 2: UndefinedError: 'missing' is undefined"),
        ("{{ when | tojson }}", r"\$\.template, line 1: TypeError: .*datetime"),
        (
            '{"type": "Card",\n "theme": "say "hi""}',
            r"the rendered text, line 2, column 17: not JSON .*tojson",
        ),
        ('{"type": "Card", "size": NaN}', "not JSON .*NaN"),
        ('{"type": "Text"}', r"the rendered text, \$\.type: expected one of Basic, Card, ListView"),
        ("[]", r"the rendered text, \$: expected a component, got list"),
        (
            '{"type": "Card", "children": [{"type": "Box", "children": {"value": ""}}]}',
            r"\$\.children\[0\]\.children: a component has a 'type'",
        ),
        (
            '{"type": "Card", "children": [{"type": "Box"}, null]}',
            r"\$\.children\[1\]: expected a component, got NoneType",
        ),
    ],
)
def test_what_goes_wrong_in_a_build_is_named_with_the_place(source: str, says: str) -> None:
    with pytest.raises(WidgetTemplateError, match=says) as caught:
        template(source).build({"when": datetime(2026, 1, 1, tzinfo=UTC)})
    assert isinstance(caught.value, ValueError)
    assert (caught.value.rendered is not None) == (
        "rendered text" in says or "children" in says or "NaN" in says
    )


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({}, r'list\.widget: the data, \$: "items" is a required property'),
        (
            {
                "items": [{"id": "secret", "icon": 3, "title": "secret", "done": True}],
                "limit": 1,
                "status": None,
            },
            r"the data, \$\.items\[0\]\.icon: ",
        ),
        ({"items": [], "limit": 1, "status": None, "more": "secret"}, r"the data, \$: "),
        ({"items": [], "limit": datetime(2026, 1, 1, tzinfo=UTC), "status": None}, r"the data"),
    ],
)
def test_data_must_fit_the_schema_and_is_not_quoted(data: Any, says: str) -> None:
    with pytest.raises(WidgetTemplateError, match=says) as caught:
        WidgetTemplate.from_file(FOLDER / "list.widget").build(data, check=True)
    assert "secret" not in str(caught.value)


NEEDS_B: dict[str, Any] = {
    "type": "object",
    "required": ["b"],
    "properties": {"a": {"type": "string"}},
}


def test_a_widget_that_can_be_made_is_made_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """OpenAI's own templates are given nulls and models that their schemas do not allow."""
    lenient = template('{"type": "Card", "key": {{ a | tojson }} }', jsonSchema=NEEDS_B)
    for _ in range(3):
        assert lenient.build({"a": "x"}).key == "x"
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith('widget template: the data, $: "b" is a required property')


def test_what_does_not_fit_is_the_error_where_no_widget_can_be_made() -> None:
    strict = template('{"type": "Card", "key": {{ b | tojson }} }', jsonSchema=NEEDS_B)
    with pytest.raises(WidgetTemplateError, match=r'the data, \$: "b" is a required') as caught:
        strict.build({"a": "x"})
    assert "is undefined" in str(caught.value.__cause__)


def test_models_inside_the_data_are_checked_as_what_they_hold() -> None:
    class Line(pydantic.BaseModel):
        b: str

    schema = {"properties": {"line": NEEDS_B}}
    source = '{"type": "Card", "key": {{ line.b | tojson }} }'
    assert template(source, jsonSchema=schema).build({"line": Line(b="x")}, check=True).key == "x"


def test_a_list_may_be_built_piece_by_piece() -> None:
    source = (
        "{%- set found = namespace(items=[]) -%}{%- for each in all if each -%}{%- set _ = found.items.append(each) -%}"
        '{%- endfor -%}{"type": "Card", "key": {{ found.items | join("+") | tojson }} }'
    )
    assert template(source).build({"all": ["a", "", "b"]}).key == "a+b"


def test_a_template_does_not_change_what_it_is_given() -> None:
    growing = template(
        '{%- set _ = rows.append("more") -%}{"type": "Card", "key": {{ rows | length | tojson }} }'
    )
    data = {"rows": ["a"], "deep": {"rows": []}}
    assert [growing.build(data).key for _ in range(2)] == [2, 2]
    assert data == {"rows": ["a"], "deep": {"rows": []}}


def test_data_that_can_be_read_only_once_is_not_read_by_the_check() -> None:
    source = '{"type": "Card", "key": {{ rows | join("+") | tojson }} }'
    rows = (each for each in "ab")
    assert template(source, jsonSchema={"type": "object"}).build({"rows": rows}).key == "a+b"


def test_the_check_of_the_data_can_be_left_out() -> None:
    data = {"items": [], "limit": 2.5, "status": None}
    built = WidgetTemplate.from_file(FOLDER / "list.widget").build(data, check=False)
    assert built.limit == 2.5


def test_a_broken_schema_is_the_authors_mistake() -> None:
    with pytest.raises(WidgetTemplateError, match=r"\$\.jsonSchema: "):
        template('{"type": "Card"}', jsonSchema={"type": "nothing"}).build({})


def test_a_pattern_that_explodes_elsewhere_takes_no_time() -> None:
    schema = {"properties": {"a": {"pattern": "^(a+)+$"}}}
    with pytest.raises(WidgetTemplateError, match=r"the data, \$\.a"):
        template('{"type": "Card"}', jsonSchema=schema).build({"a": "a" * 40 + "!"}, check=True)


# --- bombs


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' * 10**9 }}",
        "{{ 10**9 * [1] }}",
        "{{ 'a' * 900000 + 'a' * 900000 }}",
        "{{ 7**(10**9) }}",
        "{{ 10**4000 * 10**4000 }}",
        "{{ '{:>900000000}'.format(1) }}",
        "{{ '{:>{}}'.format(1, 900000000) }}",
        "{{ '{x:>900000000}'.format_map({'x': 1}) }}",
        "{{ '%900000000d' % 1 }}",
        "{{ '%*d' % (900000000, 1) }}",
        "{{ '%900000000d' | format(1) }}",
        "{{ '%*d' | format(900000000, 1) }}",
        "{{ 'a' | center(900000000) }}",
        "{{ 'a\nb' | indent(width=900000000) }}",
        "{{ range(10**9) | list }}",
        "{{ 'a'.ljust(10**9) }}",
        "{{ 'a'.rjust(10**9, 'b') }}",
        "{{ 'a'.center(10**9) }}",
        "{{ ('a' | safe).center(10**9) }}",
        "{{ 'a'.encode().zfill(10**9) }}",
        "{{ ['a'] | map('center', 10**9) | list }}",
        r"{{ '\t'.expandtabs(10**9) }}",
        r"{{ ('\t' * 10000).expandtabs(1000) }}",
        "{{ (1).to_bytes(10**9, 'big') }}",
        "{{ (1).to_bytes(length=10**9) }}",
        "{{ ('a' * 1000000).join(range(100) | map('string')) }}",
        "{{ '-'.join(['a' * 1000000] * 100) }}",
        "{{ ('a' * 1000).replace('a', 'b' * 10000) }}",
        "{{ ('a' * 1000).replace('', 'b' * 10000) }}",
        "{{ ('a' * 1000).translate({97: 'b' * 10000}) }}",
        "{{ ('{0}' * 100).format('a' * 100000) }}",
        "{{ ('{0.x}' * 100).format({'x': 'a' * 100000}) }}",
        "{{ ('%s' * 100) % (('a' * 100000,) * 100) }}",
        "{{ ('%(x)s' * 100) % {'x': 'a' * 100000} }}",
        "{{ ('%s' * 100).encode() % (('a' * 100000).encode(),) }}",
        "{{ ('%(x)s' * 100) | format(x='a' * 100000) }}",
        "{{ ('a' * 1000000) | replace('a', 'b' * 1000) }}",
        "{{ range(100) | join('a' * 1000000) }}",
        "{{ ([{'x': 'a' * 100000}] * 100) | join(attribute='x') }}",
        "{{ [1] | batch(2 * 10**8, 0) | list }}",
        "{{ [1] | slice(2 * 10**8, 0) | list }}",
        "{{ [1] | slice(slices=2 * 10**8) | list }}",
        "{{ ('a ' * 10000) | wordwrap(1, wrapstring='b' * 1000) }}",
        r"{{ ('a\n' * 10000) | indent(1000) }}",
        r"{{ ('a\n' * 10000) | indent('b' * 1000) }}",
        "{{ ('http://a.b ' * 10000) | urlize(rel='b' * 1000) }}",
        "{{ ([[1] * 1000000] * 1000) | sum(start=[]) }}",
        "{{ 5 | round(-10**9) }}",
        "{{ 5 | round(10**9, 'ceil') }}",
        "{{ ('a' * 900000) ~ ('a' * 900000) }}",
        "{% autoescape true %}{{ ('a' * 900000) ~ ('a' * 900000) }}{% endautoescape %}",
        "{{ lipsum(n=10**9) }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ build.__globals__ }}",
        "{{ items.extend(items) }}",
        "{{ items.clear() }}",
        "{{ {}.update(a=1) }}",
    ],
)
def test_a_bomb_is_refused_before_it_goes_off(source: str) -> None:
    with pytest.raises(WidgetTemplateError, match=r"SecurityError|OverflowError|UndefinedError"):
        template(source).build({"items": [], "build": template})


def test_ordinary_arithmetic_and_formats_are_not_bombs() -> None:
    source = (
        '{"type": "Card", "size": {{ (3 * 4 + 2**8 - 7 % 5) | tojson }}, "theme": {{ ("%5.2f" % 3 + "{:>4}".format(1)'
        ' + "-" * 3 + "a" | center(5) + "%d" | format(2)) | tojson }}, "all": {{ ([1] + [2]) | tojson }} }'
    )
    built = template(source).build()
    assert (built.size, built.all) == (266, [1, 2])
    assert built.theme == " 3.00   1---  a  2"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'a'.ljust(3) ~ 'b'.rjust(3) ~ 'c'.center(3) ~ '7'.zfill(3)", "a    b c 007"),
        ("1 ~ none ~ ['a'] ~ 2.5", "1None['a']2.5"),
        (r"'a\tb'.expandtabs(4)", "a   b"),
        ("(258).to_bytes(2, 'big') | list", [1, 2]),
        ("', '.join(['a', 'b'])", "a, b"),
        ("'-'.join('abc')", "a-b-c"),
        ("[1, 2] | join", "12"),
        ("[{'x': 1}, {'x': 'a'}] | join('+', attribute='x')", "1+a"),
        ("[{'x': 1}, {'x': 2}] | sum(attribute='x')", 3),
        ("[[1], [2]] | sum(start=[])", [1, 2]),
        ("'aba'.replace('a', 'cd') ~ 'aba'.replace('a', 'c', 1)", "cdbcdcba"),
        ("'aba' | replace('a', 'cd') ~ 'aba' | replace('a', 'c', 1)", "cdbcdcba"),
        ("1 | replace(1, 2)", "2"),
        ("'ab'.translate({97: 'xy', 98: none})", "xy"),
        ("'{} {x[0]:>3} {x!r}'.format(1, x=['a'])", "1   a ['a']"),
        ("'{x}'.format_map({'x': 1})", "1"),
        ("'%s %5.1f %%' % ('a', 2)", "a   2.0 %"),
        ("'%(x)s' % {'x': 'a'} ~ '%(x)s' | format(x='b')", "ab"),
        ("'%s' % ['a']", "['a']"),
        ("[1, 2, 3] | batch(2, 9999999) | list", [[1, 2], [3, 9999999]]),
        ("[1, 2, 3] | batch(linecount=2, fill_with=9999999) | list", [[1, 2], [3, 9999999]]),
        ("[1, 2, 3] | slice(2, 0) | list", [[1, 2], [3, 0]]),
        ("'a b' | wordwrap(1, wrapstring='/')", "a/b"),
        (r"'a\nb' | indent(2, true) ~ 'a\nb' | indent('>')", "  a\n  ba\n>b"),
        ("2.567 | round(1)", 2.6),
        ("('<' | safe) ~ '<'", "<<"),
    ],
)
def test_what_is_bounded_does_what_jinja_does(expression: str, value: Any) -> None:
    source = "{{ (" + expression + ") | tojson }}"
    built = template('{"type": "Card", "all": ' + source + "}").build()
    assert built.all == value == json.loads(jinja2.Environment().from_string(source).render())


def test_methods_are_called_in_loops_and_blocks_as_elsewhere() -> None:
    calls = "{{ x.replace('a', 'b').ljust(3) }}{{ '-'.join([x, x]) }}{{ '{}'.format(x) }}{{ x ~ x | join }}"
    source = "{% block b %}{% for x in ['a', 'c'] %}" + calls + "{% endfor %}{% endblock %}"
    built = template('{"type": "Card", "all": "' + source + '"}').build()
    assert built.all == "b  a-aaaac  c-cccc"


def test_text_is_escaped_where_a_template_asks_for_it() -> None:
    text = "{{ (x | safe) ~ '<' ~ ('{}' | safe).format('<') }}"
    source = "{% autoescape true %}" + text + "{% endautoescape %}{{ (x | safe) ~ '<' }}"
    built = template('{"type": "Card", "all": "' + source + '"}').build({"x": "<b>"})
    plain = jinja2.Environment().from_string(source).render(x="<b>")
    assert built.all == plain == "<b>&lt;&lt;<b><"


# --- text that grows


async def pieces(*texts: str) -> Any:
    for text in texts:
        yield text


async def states_of(made: Any) -> list[Any]:
    return [json.loads(state.model_dump_json()) async for state in made]


async def test_growing_gives_what_building_each_state_gives() -> None:
    mail = WidgetTemplate.from_file(FOLDER / "mail.widget")
    texts = ["Dear", ' "Ada"\n', "", "</b>"]
    grown = await states_of(
        mail.grow({**MAIL, "body": "> "}, "body", pieces(*texts), end={"streaming": False})
    )
    built = [
        json.loads(mail.build({**MAIL, "body": "> " + "".join(texts[:count])}).model_dump_json())
        for count in range(len(texts) + 1)
    ]
    last = {**MAIL, "body": "> " + "".join(texts), "streaming": False}
    assert grown == [*built, json.loads(mail.build(last).model_dump_json())]


async def test_growing_that_is_left_closes_its_pieces() -> None:
    closed: list[str] = []

    async def model() -> Any:
        try:
            while True:
                yield "word "
        finally:
            closed.append("model")

    grown = WidgetTemplate.from_file(FOLDER / "mail.widget").grow(MAIL, "body", model())
    for _ in range(3):
        await anext(grown)
    await grown.aclose()
    assert closed == ["model"]


async def test_growing_renders_once_where_the_text_is_only_printed() -> None:
    mail = WidgetTemplate(json.loads((FOLDER / "mail.widget").read_text()))
    rendered: list[Any] = []
    inner = mail.template

    class Counting:
        environment = inner.environment

        def render(self, variables: Any) -> str:
            rendered.append(variables)
            text: str = inner.render(variables)
            return text

    mail.__dict__["template"] = Counting()
    thread = ThreadMetadata(id="thr_1", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    grown = mail.grow(MAIL, "body", pieces(*["word "] * 50))
    events = [event async for event in stream_widget(thread, grown)]
    assert len(rendered) == 3, "the first state, the one with the mark, the last"
    deltas = [event.update.delta for event in events[1:-1]]  # type: ignore[union-attr]
    assert deltas == ["word "] * 50


@pytest.mark.parametrize(
    "source",
    [
        '{"type": "Card", "children": [{"type": "Text", "value": {{ body | upper | tojson }} }]}',
        '{"type": "Card", "children": [{"type": "Text", "value": {{ body[:9] | tojson }} }]}',
        '{"type": "Card", "children": [{"type": "Text", "value": {{ body | tojson }} }'
        '{% if body %}, {"type": "Divider"}{% endif %}]}',
        '{"type": "Card", "children": [{% for n in [1, 2] %}{% if not loop.first %}, {% endif %}'
        '{"type": "Text", "value": {{ body | tojson }} }{% endfor %}]}',
        '{"type": "Card", "children": [{"type": "Badge", "label": {{ body | tojson }} }]}',
        '{"type": "Card", "children": [{"type": "Text", "value": {{ loud(body) | tojson }} }]}',
        '{% set shown = body %}{"type": "Card", "theme": {{ shown | tojson }} }',
    ],
)
async def test_a_template_that_does_more_with_the_text_is_rendered_for_each_state(
    source: str,
) -> None:
    made = template(source)
    data = {"loud": lambda text: text + "!"}
    grown = await states_of(made.grow(data, "body", pieces("Dear ", "Ada, this is long")))
    texts = ["", "Dear ", "Dear Ada, this is long", "Dear Ada, this is long"]
    assert grown == [made.build({**data, "body": text}) for text in texts]


async def test_a_broken_template_fails_before_anything_is_asked_of_the_model() -> None:
    asked: list[str] = []

    async def model() -> Any:
        asked.append("")
        yield ""

    with pytest.raises(WidgetTemplateError):
        await states_of(WidgetTemplate.from_file(FOLDER / "mail.widget").grow({}, "body", model()))
    assert asked == []


def test_without_the_extra_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['jinja2'] = None\n"
        "from chatkit_asgi.widgets import WidgetTemplate\n"
        "WidgetTemplate({'version': '1.0', 'name': 'x', 'template': ''}).build()"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "ImportError: Widget templates need: pip install 'chatkit-asgi[widgets]'" in found.stderr
