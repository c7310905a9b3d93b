"""Templates that would take all memory or all time, each stopped in words, with time and memory measured."""

import inspect
import json
import subprocess
import sys
from datetime import date

import pytest

from judgeharness.backends.templates import ChatTemplate
from judgeharness.domain import sandbox
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.tasks.template import Wording
from tests import memory

LONG = "'a' * 9000 * 400"
NAMESPACE = "{% set ns = namespace(x=[1], y=[1], t='a') %}{% for i in range(60) %}"
TWICE = "{% endfor %}{{ ns.x|string|length }}"
ATTACKS = {
    "a text times a number": "{{ 'a' * 1000000000 }}",
    "a list times a number": "{{ [0] * 1000000000 }}",
    "center, while compiling": "{{ 'a'|center(1000000000) }}",
    "center, in a tag": "{% autoescape 'a'|center(1000000000) %}{% endautoescape %}",
    "the filter format": "{{ '%1000000000d'|format(1) }}",
    "percent with a width": "{{ '%1000000000d' % 1 }}",
    "percent with a precision": "{{ '%.1000000000f' % 1 }}",
    "percent with a star": "{{ '%*d' % (1000000000, 1) }}",
    "percent many times": "{{ ('%(x)s' * 9000) % {'x': 'a' * 9000} }}",
    "format with a width": "{{ '{:1000000000}'.format('a') }}",
    "format with a width from a field": "{{ '{:{}}'.format('a', '1000000000') }}",
    "format many times": "{{ ('{0}' * 9000).format('a' * 9000) }}",
    "format_map": "{{ '{a:1000000000}'.format_map({'a': 1}) }}",
    "ljust": "{{ 'a'.ljust(1000000000) }}",
    "zfill": "{{ 'a'.zfill(1000000000) }}",
    "expandtabs": "{{ ('\\t' * 9000).expandtabs(9000) }}",
    "replace": "{{ ('a' * 9000).replace('a', 'b' * 9000) }}",
    "replace of nothing": "{{ ('a' * 9000).replace('', 'b' * 9000) }}",
    "the filter replace": "{{ ('a' * 9000)|replace('a', 'b' * 9000) }}",
    "join": "{{ ('b' * 9000).join('a' * 9000) }}",
    "the filter join": "{{ range(9000)|map('string')|join('b' * 9000) }}",
    "indent": "{{ ('\\n' * 9000)|indent(9000, blank=true) }}",
    "indent with a text": "{{ ('\\n' * 9000)|indent('a' * 9000, blank=true) }}",
    "JSON with indents": "{{ ([[1]] * 9000)|tojson(indent=9000) }}",
    "JSON with separators": "{{ range(9000)|list|tojson(separators=('a' * 9000, ':')) }}",
    "translate": "{{ ('a' * 9000).translate({97: 'b' * 9000}) }}",
    "to_bytes": "{{ (5).to_bytes(1000000000, 'big') }}",
    "powers": "{{ 9 ** (9 ** 9) }}",
    "squares": "{% set ns = namespace(x=9) %}{% for i in range(40) %}{% set ns.x = ns.x * ns.x %}{% endfor %}{{ ns.x }}",
    "a number of many digits": "{{ ('f' * 9000 * 400)|int(base=16) // 3 }}",
    "texts that double": NAMESPACE + "{% set ns.t = ns.t ~ ns.t %}" + TWICE,
    "texts that double by a plus": NAMESPACE + "{% set ns.t = ns.t + ns.t %}" + TWICE,
    "lists that double": NAMESPACE + "{% set ns.x = ns.x + ns.x %}" + TWICE,
    "lists in lists": NAMESPACE + "{% set ns.x = [ns.x, ns.x] %}" + TWICE,
    "lists in lists, compared": NAMESPACE + "{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
    "tuples in tuples, as keys": NAMESPACE + "{% set ns.x = (ns.x, ns.x) %}{% endfor %}{{ {ns.x: 1}|length }}",
    "dicts in dicts": NAMESPACE + "{% set ns.x = dict(a=ns.x, b=ns.x) %}" + TWICE,
    "a deep list": "{% set ns = namespace(x=[]) %}{% for i in range(99999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
    "fromkeys": "{{ {}.fromkeys(range(100000), 'a' * 9000)|tojson }}",
    "a macro that writes much": "{% set a = 'a' * 9000 %}{% macro m() %}{% for i in range(99999) %}{{ a }}{% endfor %}{% endmacro %}{{ m()|length }}",
    "a block that is set": "{% set a = " + LONG + " %}{% set b %}" + "{{ a }}" * 900 + "{% endset %}{{ b|length }}",
    "lists that are written": "{% set a = range(9999)|list %}{% macro m() %}{% for i in range(99999) %}{{ a }}{% endfor %}{% endmacro %}{{ m()|length }}",
    "many copies": "{% set a = " + LONG + " %}" + "".join(f"{{% set b{n} = a|upper %}}" for n in range(200)),
    "many slices": "{% set a = " + LONG + " %}{% set b = [" + ",".join(f"a[{n}:]" for n in range(200)) + "] %}",
    "many texts as one": "{% set a = " + LONG + " %}{{ (" + "~".join("a" * 300) + ")|length }}",
    "a list of characters": "{{ (" + LONG + ")|list|length }}",
    "pieces of a text": "{{ ('Ж ' * 9000 * 200).split()|length }}",
    "empty loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a sum of lists": "{{ ([[0] * 9] * 9000)|sum(start=[])|length }}",
    "recursion": "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "endless recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a recursive loop": "{% for x in [1] recursive %}{{ loop([[1],[1]]) }}{% endfor %}",
    "callers": "{% macro f() %}{{ caller() }}{{ caller() }}{% endmacro %}" + "{% call f() %}" * 15 + "x" * 100 + "{% endcall %}" * 15,
    "blocks": "{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}",
    "much that is written": "{% set c = cycler('a' * 9000) %}{% for i in range(99999) %}{{ c.next() }}{% endfor %}",
    "wordwrap": "{{ (" + LONG + ")|wordwrap(1) }}",
    "urlize": "{{ ('http://' * 9000)|urlize }}",
    "round": "{{ 1.5|round(1000000000) }}",
    "batch": "{{ [1]|batch(1000000000, 'a')|list }}",
    "batch of long texts": "{{ [1]|batch(9000, 'a' * 9000)|map('join')|list }}",
    "a date with a width": "{{ strftime_now('%1000000000Y') }}",
    "a long date": "{{ strftime_now('%A' * 9000 * 200)|length }}",
    "a long refusal": "{{ raise_exception(" + LONG + ") }}",
    "deep parentheses": "{{ " + "(" * 50000 + "1" + ")" * 50000 + " }}",
    "deep conditions": "{% if a %}" * 5000 + "{% endif %}" * 5000,
    "deep loops": "{% for a in [1] %}" * 40 + "{% endfor %}" * 40,
    "digits": "{{ " + "9" * 60000 + " }}",
    "a long source": "{{ a }}" * 150000,
    "many filters": "{{ 'a'" + "|upper" * 20000 + " }}",
    "another template": "{% include 'x' %}",
    "escapes": "{% autoescape true %}{{ ('<' * 9000 * 400)|escape|escape|escape }}{% endautoescape %}",
}  # fmt: skip
SECONDS, MEGABYTES = 10, 500

CHILD = """
import json, resource, sys, time
from datetime import date
from judgeharness.backends.templates import ChatTemplate
from judgeharness.domain.errors import HarnessError
from judgeharness.tasks.template import Wording

resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

def tried(source, kind):
    forget()
    begun = time.process_time()
    try:
        if kind == "chat":
            ChatTemplate(source, {}).render([{"role": "user", "content": "hi"}], True, date(2024, 1, 1))
        else:
            Wording.parse("mine.jinja", source).render("u1", {"t": "hi"})
        said = None
    except HarnessError as error:
        said = error.lines()
    return {"said": said, "seconds": time.process_time() - begun, "megabytes": peak()}

found = {f"{name}: {kind}": tried(source, kind) for name, source in json.load(sys.stdin).items() for kind in ("chat", "wording")}
json.dump(found, sys.stdout)
"""


@pytest.fixture(scope="module")
def attacked():
    code = inspect.getsource(memory) + CHILD
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(ATTACKS), capture_output=True, text=True, check=True, timeout=300
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", ATTACKS)
def test_no_template_takes_more_than_its_share(attacked, name):
    for kind, begins in (("chat", "the model's chat template "), ("wording", "template mine.jinja")):
        found = attacked[f"{name}: {kind}"]
        assert found["seconds"] < SECONDS
        assert found["megabytes"] < MEGABYTES
        assert found["said"], "it was rendered"
        assert found["said"][0].startswith(begins)
        assert len(found["said"][0]) < 400


def chat(source, content="hi"):
    return ChatTemplate(source, {}).render([{"role": "user", "content": content}], True, date(2024, 1, 1))


def test_a_clock_stops_what_costs_little_and_takes_long(monkeypatch):
    monkeypatch.setattr(sandbox, "SECONDS", 0.05)
    slow = " or ".join(["a == b", "'ab' in a"] * 40)
    source = (
        "{% set a = 'a' * 9000 * 400 %}{% set b = ('a' * 9000 * 399) ~ 'b' * 9000 %}{% for i in range(9999) %}"
        "{% if " + slow + " %}{% endif %}{% endfor %}"
    )
    with pytest.raises(HarnessError, match="takes longer than"):
        chat(source)


def test_what_a_template_may_compute_is_the_same_each_time(monkeypatch):
    monkeypatch.setattr(sandbox, "SUPPLY", 100_000)
    template = ChatTemplate("{% for i in range(messages[0].content|length) %}x{% endfor %}", {})

    def longest():
        for count in range(100, 5_000, 10):
            try:
                template.render([{"role": "user", "content": "a" * count}], True, date(2024, 1, 1))
            except HarnessError as error:
                assert "loops too often" in error.message
                return count
        return None

    assert longest() == longest() > 100


def test_long_prompts_are_rendered():
    words = "word " * 200_000
    source = "{% for m in messages %}{{ '<|user|>' + m['content'] | trim + '<|end|>' }}{% endfor %}"
    assert chat(source, words) == f"<|user|>{words.strip()}<|end|>"
    assert Wording.parse("t", "{{ t|trim }}{{ t }}").render("u", {"t": words}) == words.strip() + words


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ '%s: %05.1f%%' % ('a', 3.14159) }}", "a: 003.1%"),
        ("{{ '{:>5}|{!r:.3}|{{}}'.format('a', 'long') }}", "    a|'lo|{}"),
        ("{{ [1, 2] + [3] }}{{ (1, 2)[1:] }}{{ {'a': 1, 'b': [2]}|tojson }}", '[1, 2, 3](2,){"a": 1, "b": [2]}'),
        ("{{ {'a': [1, 2]}|tojson(indent=2) }}", '{\n  "a": [\n    1,\n    2\n  ]\n}'),
        ("{{ 'a-b-c'.split('-', 1)|join('/') }}{{ ['x', 1]|join(d=', ') }}", "a/b-cx, 1"),
        ("{{ 'aXbX'.replace('X', '--') }}{{ 'aXbX'|replace('X', '', 1) }}", "a--b--abX"),
        ("{% for x in [1, 2, 3, 4] if x % 2 == 0 %}{{ loop.index }}/{{ loop.length }} {% endfor %}", "1/2 2/2 "),
        ("{% for x in [] %}{% else %}none{% endfor %}{{ 2 ** 10 }}{{ 7 // 2 }}{{ 1 - 3 }}", "none10243-2"),
        ("{% set ns = namespace(a=1) %}{% for i in range(3) %}{% set ns.a = ns.a * 2 %}{% endfor %}{{ ns.a }}", "8"),
        ("{% macro m(a, b='y') %}{{ a ~ b }}{{ caller() if caller }}{% endmacro %}{{ m(1) }}{{ m('x', b=2) }}", "1yx2"),
        ("{% macro m() %}[{{ caller(3) }}]{% endmacro %}{% call(n) m() %}{{ n * 'ab' }}{% endcall %}", "[ababab]"),
        ("{% set a, b = 'x', 'y' %}{% set c %}{{ a }}{{ b }}{% endset %}{% filter upper %}{{ c }}{% endfilter %}", "XY"),
        ("{{ 'a b'|title }}{{ '  x '|trim }}{{ [3, 1]|sort|first }}{{ [1, 2]|sum }}{{ none|default('d', true) }}", "A Bx13d"),
        ("{{ range(3)|map('string')|list }}{{ messages|map(attribute='role')|list }}", "['0', '1', '2']['user']"),
        ("{{ 'x'|indent(2, true) }}{{ 'a'|center(5) }}|{{ 'ab'.rjust(4) }}{{ '7'.zfill(3) }}", "  x  a  |  ab007"),
        ("{{ namespace(a=1).a }}{{ dict(a=1).items()|list }}{{ 'é'.encode('utf-8')|length }}", "1[('a', 1)]2"),
    ],
)  # fmt: skip
def test_what_templates_do_is_as_before(source, text):
    assert chat(source) == text


def test_a_wording_that_fails_names_its_item_in_one_line():
    wording = Wording.parse(
        "mine.jinja", "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}"
    )
    with pytest.raises(InputError, match=r"template mine\.jinja, item u1: computes too much"):
        wording.render("u1", {})


@pytest.mark.parametrize("source", ["{{ 'a'.upper }}", "{{ range }}", "{{ [1] | map('string') }}"])
def test_nothing_is_written_that_is_shown_by_its_place_in_memory(source):
    turns = [{"role": "user", "content": "hello"}]
    with pytest.raises(HarnessError, match="which is not a text"):
        ChatTemplate(source, {}).render(turns, True, date(2024, 7, 26))


def test_a_chat_template_adds_no_more_than_a_conversation_needs():
    turns = [{"role": "user", "content": "hello " * 1000}]
    with pytest.raises(HarnessError, match="adds more than 65,536 characters"):
        ChatTemplate("{{ ('12345, ' * 9000) * 9 }}", {}).render(turns, True, date(2024, 7, 26))
    twice = ChatTemplate("{{ messages[0].content }}{{ messages[0].content }}", {})
    assert twice.render(turns, True, date(2024, 7, 26)) == "hello " * 2000
