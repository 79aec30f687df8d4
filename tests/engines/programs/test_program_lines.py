"""JSON lines out of bytes of which nothing can be expected."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from contexten.engines.programs.lines import DEEPEST, JsonLines

VALUES = st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=20), st.none()), max_size=4)


def read(data, size=7, **options):
    lines = JsonLines(**options)
    found = []
    for start in range(0, len(data), size):
        found += lines.feed(data[start : start + size])
    return [*found, *lines.end()], lines


@settings(deadline=None)
@given(st.lists(VALUES, max_size=5), st.integers(1, 50))
def test_objects_come_out_however_the_bytes_are_cut(values, size):
    data = b"".join(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n" for value in values)
    found, lines = read(data, size)
    assert len(found) == len(values)
    assert lines.left_out == 0


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(1, 20))
def test_garbage_never_raises(data, size):
    found, _ = read(data, size)
    assert all(isinstance(each, dict) for each in found)


def test_a_last_line_without_an_end_counts():
    assert read(b'{"a": 1}\n{"b": 2}')[0] == [{"a": 1}, {"b": 2}]


def test_a_line_that_is_too_long_is_left_out_and_the_next_one_is_read():
    found, lines = read(b'{"a": "' + b"x" * 1000 + b'"}\n{"b": 2}\n', longest=100)
    assert found == [{"b": 2}]
    assert lines.left_out == 1


def test_an_object_that_is_too_deep_is_left_out():
    deep = b'{"a": ' + b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1) + b"}\n"
    found, lines = read(deep + b'{"a": ' + b"[" * 100_000 + b"\n" + b'{"b": 2}\n', size=4096)
    assert found == [{"b": 2}]
    assert lines.left_out == 1


def test_half_a_character_is_replaced():
    found, _ = read('{"a": "ö"}'.encode()[:8] + b'"}\n')
    assert found == [{"a": "\ufffd"}]


def test_what_is_no_object_is_kept_as_what_was_said():
    found, lines = read(b'npm warn old\n[1]\n{"a": 1}\nError: not a chance\n')
    assert found == [{"a": 1}]
    assert lines.other == "npm warn old\n[1]\nError: not a chance"
