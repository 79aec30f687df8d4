"""`contexten org`, `token` and `repos`: who may do what, on which code."""

import pytest

pytestmark = pytest.mark.once


def use(live, token, *words):
    """Run the program as the holder of a token."""
    live.extra |= {"CODEGEN_API_TOKEN": token, "CODEGEN_BASE_URL": live.base_url}
    try:
        return live(*words)
    finally:
        live.extra.clear()


def test_the_first_organization_is_there(live):
    assert live.json("org", "list") == [
        {"id": 1, "name": "local", "settings": {"enable_pr_creation": True, "enable_rules_detection": True}}
    ]
    assert live("org", "list").stdout.splitlines()[1].split() == ["1", "local"]


def test_a_new_organization_has_a_token_of_its_own(live):
    made = live.json("org", "create", "research")
    seen = use(live, made["token"], "org", "list")
    assert seen.stdout.split() == ["ORG", "NAME", str(made["id"]), "research"]
    absent = use(live, made["token"], "runs", "show", "1")
    assert absent.stderr.startswith(f"error: no run 1 in organization {made['id']}. There are none yet: ")


def test_only_the_token_goes_to_standard_output(live):
    done = live("token", "create", "ci")
    assert done.stdout.startswith("ctx_")
    assert done.stdout.count("\n") == 1
    assert "ci" in done.stderr
    assert done.stdout.strip() not in done.stderr


@pytest.mark.parametrize("word", ["read-only", "read_only", "READ-ONLY"])
def test_a_role_may_be_written_either_way(live, word):
    assert live.json("token", "create", "watcher", "--role", word)["role"] == "READ_ONLY"


def test_a_refused_token_is_traced_to_where_it_came_from(live):
    done = use(live, "ctx_wrong", "org", "list")
    assert done.returncode == 1
    assert done.stderr.endswith(
        " The token is that of CODEGEN_API_TOKEN: correct it, or unset it to use the local server.\n"
    )


def test_tokens_are_listed_without_their_secrets(live):
    made = live.json("token", "create", "listed", "--role", "READ_ONLY")
    listed = live("token", "list").stdout
    assert made["token"] not in listed
    assert next(line for line in listed.splitlines() if line.endswith("\tlisted")).split() == [
        *(str(made["id"]), "READ_ONLY", f"{made['prefix']}…", "never", "active", "listed")
    ]
    assert all("token" not in token for token in live.json("token", "list"))


def test_a_reader_may_look_but_not_work(live):
    reader = live.json("token", "create", "reader", "--role", "read_only")
    assert use(live, reader["token"], "runs", "list").returncode == 0
    refused = use(live, reader["token"], "run", "overview")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: ")
    assert refused.stderr.count("\n") == 1


def test_a_revoked_token_is_refused(live):
    made = live.json("token", "create", "short-lived")
    assert live("token", "revoke", str(made["id"])).stdout == f"token {made['id']} revoked\n"
    refused = use(live, made["token"], "runs", "list")
    assert refused.returncode == 1
    assert made["token"] not in refused.stderr


def test_the_last_admin_token_stays(live):
    admins = [t for t in live.json("token", "list") if t["role"] == "ADMIN" and not t["revoked_at"]]
    assert len(admins) == 1
    refused = live("token", "revoke", str(admins[0]["id"]))
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("token", "revoke", "999"), "no token 999 in organization 1. Those there are: contexten token list"),
        (("repos", "remove", "999"), "no repo 999 in organization 1. Those there are: contexten repos list"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_is_not_there_is_named(live, words, said):
    done = live(*words)
    assert done.returncode == 1
    assert done.stderr == f"error: {said}\n"


def test_repositories_are_added_listed_and_removed(live, tmp_path):
    (tmp_path / "main.py").write_text("print('hello')\n")
    added = live("repos", "add", str(tmp_path), "--name", "tool")
    number = added.stdout.split()[1]
    assert added.stdout == f"repo {number} · tool · {tmp_path.resolve()}\n"
    assert any(
        line.split() == [number, "tool", "Python", str(tmp_path.resolve())]
        for line in live("repos", "list").stdout.splitlines()
    )
    assert live("repos", "remove", number).stdout == f"repo {number} removed\n"
    assert int(number) not in {repo["id"] for repo in live.json("repos", "list")}
    assert (tmp_path / "main.py").exists()


def test_credentials_in_an_address_are_never_repeated(live):
    done = live("repos", "add", "https://me:hunter2@example.org/x.git")
    assert done.returncode == 2
    assert "hunter2" not in done.stderr + done.stdout
