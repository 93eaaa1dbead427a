"""Texts of programs as HTML."""

import json
import re

import pytest

from zato.web_admin.highlighting import SHOWN, highlighted, lines_of_source, shown

MARKUP = '</pre><script>alert("x")</script>&amp;'


@pytest.mark.parametrize("text", ["", "{", "NaN", "plain"])
def test_what_is_no_json_is_text(text: str) -> None:
    """Nothing is guessed."""
    assert shown(text).kind == "text"


@pytest.mark.parametrize("kind", ["json", "python", "text"])
@pytest.mark.parametrize("text", [MARKUP, json.dumps({MARKUP: MARKUP}), f"# {MARKUP}\nx = '''{MARKUP}'''"])
def test_markup_is_text(text: str, kind: str) -> None:
    """Whatever the kind is taken to be, no character becomes an element, and none is lost."""
    html = highlighted(text, kind)  # type: ignore[arg-type]
    assert "<script" not in html
    assert "</pre" not in html
    assert html.striptags() == " ".join(text.split())


def test_parts_have_classes() -> None:
    """Keys, texts, numbers and words are told from each other."""
    html = highlighted('{"a": ["b", 1, true]}', "json")
    assert '<span class="nt">&#34;a&#34;</span>' in html
    assert '<span class="s">&#34;b&#34;</span>' in html
    assert '<span class="m">1</span>' in html
    assert '<span class="k">true</span>' in html


def test_long_text_is_cut_where_a_line_ends() -> None:
    """The beginning is shown, and the size is that of the whole."""
    text = json.dumps(list(range(100_000)))
    found = shown(text)
    assert found.is_cut
    assert found.size == len(text)
    assert SHOWN * 0.9 < len(re.sub("<.*?>", "", found.html)) < SHOWN
    assert found.html.endswith(",")


def test_beginning_of_json_is_coloured_as_json() -> None:
    """What is cut already is no JSON any more, and is shown as what it was."""
    found = shown('{"a": [1, "b', is_cut=True)
    assert (found.kind, found.is_cut) == ("json", True)
    assert '<span class="nt">' in found.html


def test_very_long_line_is_shown_without_colours() -> None:
    """A browser lays it out in good time then."""
    assert "<span" not in highlighted(json.dumps("x" * 100_000), "json")


def test_lines_of_a_source_stand_alone() -> None:
    """An element that goes over several lines is closed at the end of each."""
    source = 'class A:\n    """One\n    two"""\n'
    lines = lines_of_source(source)
    assert [line.count("<span") for line in lines] == [line.count("</span>") for line in lines]
    assert [line.striptags() for line in lines] == ["class A:", '"""One', 'two"""']
