"""What a model said, written down and read again; and what is imported when nobody asks a model."""

import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.usage import RequestUsage

from contexten.engines.model.repetition import ROUNDS, Repetition
from contexten.engines.model.said import LARGEST_CALLS, MOST_CALLS, heard, remembered
from contexten.protocol import LogEntry

anything = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)
arguments = st.dictionaries(st.text(), anything, max_size=4) | st.text() | st.just('{"a": "\\ud800"}') | st.just("[]")


@settings(deadline=None)
@given(st.text(), st.lists(st.tuples(st.text(max_size=80), arguments), max_size=30))
def test_an_answer_is_the_same_when_it_is_remembered(text, wanted):
    calls = [ToolCallPart(name, given, f"{number}") for number, (name, given) in enumerate(wanted)]
    message = ModelResponse([TextPart(text), *calls], usage=RequestUsage(input_tokens=1), model_name="gpt-5")
    said = heard(message)
    entry = LogEntry(agent_run_id=1, **said.entry().model_dump(mode="json", exclude={"created_at"}))
    again = remembered(LogEntry.model_validate_json(entry.model_dump_json()))
    assert (again.text, again.calls, again.used, again.dropped) == (said.text, said.calls, said.used, said.dropped)
    assert len(said.calls) + said.dropped == len(wanted)
    assert len(said.calls) <= MOST_CALLS
    assert len(again.message.parts) <= len(said.message.parts)


def test_arguments_that_together_are_too_large_are_left_out():
    half = {"text": "x" * (LARGEST_CALLS // 2)}
    said = heard(ModelResponse([ToolCallPart("write", half, str(number)) for number in range(3)]))
    assert [call.arguments is None for call in said.calls] == [False, True, True]
    assert said.used["cost_usd"] is None


@settings(deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=3), st.integers(0, 20))
def test_a_circle_is_noticed_whatever_came_before(circle, before):
    repetition = Repetition()
    for number in range(before):
        repetition.add("read", f"file {number}", "text")
        assert not repetition.found
    for number in circle * ROUNDS:
        repetition.add("run", f"command {number}", f"took {before} s")
    assert repetition.found


def test_no_library_of_a_provider_is_imported_before_a_run_begins():
    program = """
import sys
from contexten.engines import default_engines
from contexten.settings import ServerSettings
for engine in default_engines(ServerSettings(CONTEXTEN_MODEL="openai:gpt-5")):
    engine.availability()
print([name for name in sys.modules if name.split(".")[0] in {"pydantic_ai", "openai", "genai_prices", "jinja2"}])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
