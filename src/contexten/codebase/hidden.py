"""Which files of a folder are private to its owner: those whose name begins with a dot, but for a few that projects share."""

from __future__ import annotations

_SHARED = frozenset({
    ".circleci", ".clang-format", ".clang-tidy", ".coveragerc", ".devcontainer", ".dockerignore", ".editorconfig",
    ".env.example", ".env.sample", ".eslintrc", ".eslintrc.js", ".eslintrc.json", ".flake8", ".gitattributes", ".github",
    ".gitignore", ".gitlab", ".gitlab-ci.yml", ".gitmodules", ".golangci.yml", ".husky", ".mailmap", ".node-version",
    ".nvmrc", ".pre-commit-config.yaml", ".pre-commit-hooks.yaml", ".prettierrc", ".pylintrc", ".python-version",
    ".readthedocs.yaml", ".readthedocs.yml", ".rubocop.yml", ".storybook", ".tool-versions", ".travis.yml",
})  # fmt: skip


def is_hidden(path: str) -> bool:
    """Whether a relative path, with forward slashes, has a hidden name in it, such as `.ssh/id_rsa` or `.env`."""
    if path[:1] != "." and "/." not in path:
        return False
    return any(name.startswith(".") and name not in _SHARED for name in path.split("/"))
