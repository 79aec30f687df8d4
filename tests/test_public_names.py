"""What a program may rely on: the public names, where they come from, and that reaching for them stays cheap."""

import pickle
import subprocess
import sys

import pytest

import contexten
from contexten import errors

LIGHT = """
import sys
before = set(sys.modules)
import contexten
heavy = {"pydantic", "httpx2", "sqlalchemy", "fastapi", "typer", "rich", "dbos", "asyncio"}
print(sorted(heavy & (set(sys.modules) - before)))
"""


def test_the_public_names_are_these():
    assert contexten.__all__ == sorted(contexten.__all__)
    assert {"Agent", "AgentTask", "AsyncCodegenClient", "CodegenClient", "ContextenError"} <= set(contexten.__all__)
    assert dir(contexten) == sorted(contexten.__all__)


@pytest.mark.parametrize("name", contexten.__all__)
def test_a_public_name_is_there(name):
    assert getattr(contexten, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = contexten.Nothing


def test_importing_the_package_loads_nothing_heavy():
    said = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


def test_the_tree_of_errors_in_the_documentation_is_the_one_in_the_code():
    drawn = {word for word in (errors.__doc__ or "").split() if word.endswith("Error")}
    defined = {name for name, value in vars(errors).items() if isinstance(value, type) and name.endswith("Error")}
    assert drawn == defined - {"Error"}


def test_everything_raised_on_purpose_has_one_root():
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, Exception):
            assert issubclass(value, errors.ContextenError)


@pytest.mark.parametrize(
    "error",
    [
        errors.UsageError("no such value"),
        errors.MissingExtraError("Reading Go", "languages"),
        errors.DataDirectoryInUseError("held", pid=7, base_url="http://127.0.0.1:8000"),
        errors.CircuitOpenError("left alone", retry_after=2.5),
        errors.ServerError("failed", status_code=503, body={"a": 1}, request_id="r", retry_after=1.0),
    ],
)
def test_an_error_leaves_a_worker_process_whole(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
