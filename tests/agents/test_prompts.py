from hypothesis import given
from hypothesis import strategies as st

from contexten.agents.prompts import CHARACTERS_PER_TOKEN, Said, trimmed, with_context

said = st.builds(Said, st.text(max_size=60), st.text(max_size=200))


@given(st.lists(said, max_size=8), st.integers(0, 100))
def test_history_never_exceeds_its_budget_and_keeps_the_newest(history, budget):
    kept = trimmed(history, budget)
    assert sum(len(s.prompt) + len(s.result) for s in kept) <= budget * CHARACTERS_PER_TOKEN
    if len(kept) > 1:
        assert kept == history[-len(kept) :]


def test_facts_of_any_kind_are_written():
    circle = {}
    circle["again"] = circle
    facts = {"text": "as it is", "number": 1, "object": {"a": {1}}, "circle": circle, "keys": {(1, 2): 3}}
    written = with_context("Do it", facts).split("\n")
    assert written[:2] == ["Do it", ""]
    assert written[2:] == [
        "Context:",
        "- text: as it is",
        "- number: 1",
        '- object: {"a": "{1}"}',
        "- circle: {'again': {...}}",
        "- keys: {(1, 2): 3}",
    ]
