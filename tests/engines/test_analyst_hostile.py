"""Repositories whose files are broken or made to break what reads them: every question is still answered."""

import pytest

from contexten.engines.analyst import documents
from contexten.engines.analyst.manifests import Manifests
from contexten.protocol import RunStatus
from shop_project import commit_all, make_project

QUESTIONS = ("Give me an overview.", "List dependencies", "How do I run the tests?", "What are the entry points?")
DEEP = "[" * 100_000
PROJECTS = {
    "deep package.json": {"package.json": DEEP},
    "deep pyproject.toml": {"pyproject.toml": f"a = {DEEP}"},
    "project is text": {"pyproject.toml": 'project = "x"'},
    "tool is text": {"pyproject.toml": 'tool = "x"'},
    "poetry is a number": {"pyproject.toml": "[tool]\npoetry = 1"},
    "parts are of other kinds": {
        "pyproject.toml": "[project]\nscripts = 1\ndependencies = {}\ndescription = []\noptional-dependencies = [1]",
        "package.json": '{"scripts": [], "bin": 1, "dependencies": "x", "devDependencies": [1]}',
        "Cargo.toml": "dependencies = 1",
    },
    "numbers without end": {
        "pyproject.toml": f"[project]\ndescription = 0x{'f' * 10_000}\nscripts = {{a = 0x{'f' * 10_000}}}",
        "package.json": f'{{"bin": {{"a": {"9" * 10_000}}}}}',
        "Cargo.toml": f"a = {'9' * 10_000}",
    },
    "not text": {"README.md": "\0\x01", "pyproject.toml": "\0"},
}


@pytest.mark.anyio
@pytest.mark.parametrize("files", PROJECTS.values(), ids=PROJECTS)
async def test_broken_manifests_end_no_question(tmp_path, ask, files):
    project = make_project(tmp_path / "strange", files | {"b.py": "x = 1\n"})
    for question in QUESTIONS:
        assert (await ask(question, workspace=project)).status is RunStatus.COMPLETE


@pytest.mark.anyio
async def test_files_that_are_links_to_themselves_end_no_question(tmp_path, ask):
    project = make_project(tmp_path / "strange", {"b.py": "x = 1\n", "c.txt": "hello\n"})
    for name in ("README.md", "a.txt", "a.py", "pyproject.toml"):
        (project / name).symlink_to(name)
    for question in (*QUESTIONS, 'Find "hello"'):
        assert (await ask(question, workspace=project)).status is RunStatus.COMPLETE
    assert "c.txt:1" in (await ask('Find "hello"', workspace=project)).result


def test_what_is_declared_is_still_read(tmp_path):
    project = make_project(
        tmp_path,
        {
            "pyproject.toml": """
                [project]
                description = "A shop."
                dependencies = ["httpx", 1]
                scripts = {shop = "shop:main", odd = 1}
                [tool.poetry]
                dependencies = {python = "^3.11", local = {path = "x"}}
                scripts = {till = "shop:till"}
            """,
            "package.json": '{"bin": {"web": "web.js"}, "scripts": {"build": "x"}, "dependencies": {"react": "18"}}',
        },
    )
    declared = Manifests(project)
    assert declared.about() == ("", "A shop.")
    assert declared.targets() == ["npm run build"]
    assert declared.scripts() == [
        ("shop", "shop:main", "pyproject.toml"),
        ("till", "shop:till", "pyproject.toml"),
        ("web", "web.js", "package.json"),
    ]
    assert declared.dependencies() == {
        "pyproject.toml": ["httpx"],
        "pyproject.toml, Poetry": ["python ^3.11", "local"],
        "package.json, dependencies": ["react 18"],
    }


@pytest.mark.parametrize("with_git", [False, True])
def test_hidden_names_are_no_documents_but_for_those_that_projects_share(tmp_path, with_git):
    shared = [".github/workflows/ci.yml", ".gitlab-ci.yml", ".pre-commit-config.yaml"]
    private = [".env", ".ssh/id_rsa", ".local/share/x/credentials.json", "a/.netrc", ".git-credentials"]
    make_project(tmp_path, dict.fromkeys([*shared, *private, "README.md"], "x"))
    if with_git:
        commit_all(tmp_path, "All")
    assert documents.paths(tmp_path) == [*shared, "README.md"]
