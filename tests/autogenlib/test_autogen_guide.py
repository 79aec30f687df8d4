"""The guide's examples run as printed, and what it names is there."""

import re
from pathlib import Path

from contexten.cli import autogen

GUIDE = (Path(__file__).parents[2] / "docs" / "autogenlib.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


def test_the_examples_run(project):
    project.write("shop/app.py", "from contexten.autogen.shop.tokens import check_token, generate_token\n")
    said = project("\n".join(EXAMPLES))
    assert (len(EXAMPLES), project.complaints) == (4, "")
    assert said.splitlines() == [
        "12",
        "login {'a': '1'}",
        "['check_token'] 0.01",
        "100 of 100 from the cache",
        "3 generations, ('tokens', 1)",
        "{'input': 1.25} 1",
    ]


def test_every_command_that_it_shows_is_one():
    words = set(re.findall(r"^\$ contexten autogen (\w+)", GUIDE, re.MULTILINE))
    known = {command.name or command.callback.__name__ for command in autogen.app.registered_commands}
    assert words < known
    assert known - words == {"show"}
