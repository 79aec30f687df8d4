"""The whole way: a run of the engine `model`, whose model answers from a script over real HTTP."""

import pytest

from contexten.autogenlib import AutogenClient, CallerContext
from contexten.errors import InvalidInputError
from model_provider import Says, calls, finish, provider

pytestmark = [pytest.mark.anyio, pytest.mark.once]
CODE = "```python\ndef is_valid(code: str) -> bool:\n    return code.isalnum()\n```"


async def test_a_model_writes_code_and_corrects_it(project, monkeypatch):
    with provider(calls(("read", {"path": "notes.py"})), finish("import socket\n"), Says(CODE)) as scripted:
        for name, value in scripted.environment().items():
            monkeypatch.setenv(name, value)
        async with AutogenClient(config=project.config(engine="model", model="openai:gpt-5")) as client:
            made = await client.generate_code("shop.checks", "is_valid", CallerContext(usage_example="is_valid('a')"))
    assert made.code == "def is_valid(code: str) -> bool:\n    return code.isalnum()\n"
    assert (made.metadata["model"], made.metadata["engine"], made.metadata["attempts"]) == ("openai:gpt-5", "model", 2)
    assert made.usage_info["cost_usd"] > 0
    assert "imports socket" in scripted.told()


async def test_without_a_model_the_server_says_what_to_set(project):
    async with AutogenClient(config=project.config(engine="model")) as client:
        with pytest.raises(InvalidInputError, match="CONTEXTEN_MODEL"):
            await client.generate_code("shop.checks", "is_valid")
