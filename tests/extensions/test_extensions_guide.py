"""The guide's examples run as printed, and what it names is there."""

import re
from pathlib import Path

from contexten import extensions
from contexten.extensions import codegen

GUIDE = (Path(__file__).parents[2] / "docs" / "extensions.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


def test_the_examples_run(project):
    said = project("\n".join(EXAMPLES)).splitlines()
    assert (len(EXAMPLES), project.complaints) == (2, "")
    assert said == [
        "['autogenlib'] True",
        "False 1 definition: shop/codes.py:1; said: python, style",
        "True True",
        "{'cache_size': 1, 'hit_rate': 0.5, 'total_hits': 1, 'total_misses': 1, 'total_evictions': 0}",
    ]
    assert project.asked == 1


def test_it_names_what_there_is():
    functions = set(re.findall(r"^\| `(\w+)\(", GUIDE, re.MULTILINE))
    assert functions == {
        name for name in extensions.__all__ if callable(getattr(extensions, name)) and name[0].islower()
    } - {"registry"}
    assert all(name in GUIDE for name in codegen.__all__)
