"""Where requests go and as whom."""

import traceback

import pytest

from contexten import AsyncCodegenClient, CodegenClient
from contexten.client.address import normalize_base_url, resolve_address
from contexten.client.local import LocalCredentials
from contexten.errors import ConnectError, SettingsError, UsageError
from contexten.server.lock import DataLock


@pytest.fixture
def left(tmp_path):
    """What a local server leaves when it ends."""
    credentials = LocalCredentials("http://127.0.0.1:8123", "ctx_local", 7)
    credentials.write(tmp_path / "data")
    return credentials


@pytest.fixture
def local(left, tmp_path):
    """A local server that is up."""
    lock = DataLock(tmp_path / "data")
    lock.acquire(left.base_url)
    yield left
    lock.release()


def seen(address):
    return address.base_url, address.token.get_secret_value(), address.org_id


def test_with_nothing_set_the_local_server_is_found(local):
    assert seen(resolve_address()) == ("http://127.0.0.1:8123", "ctx_local", 7)


def test_it_is_found_where_it_serves_now(left, tmp_path):
    lock = DataLock(tmp_path / "data")
    lock.acquire("http://127.0.0.1:9321")
    assert seen(resolve_address()) == ("http://127.0.0.1:9321", "ctx_local", 7)
    lock.release()


def test_its_token_goes_to_nobody_who_listens_where_it_was(left):
    with pytest.raises(ConnectError, match=r"is not running.*contexten up"):
        resolve_address()
    with pytest.raises(ConnectError, match="is not running"):
        resolve_address(base_url=left.base_url)


def test_arguments_win_over_the_environment_and_it_over_the_file(local, monkeypatch):
    monkeypatch.setenv("CODEGEN_API_TOKEN", "from-env")
    monkeypatch.setenv("CODEGEN_ORG_ID", "5")
    monkeypatch.setenv("CODEGEN_BASE_URL", "https://env.example/v1")
    assert seen(resolve_address()) == ("https://env.example", "from-env", 5)
    assert seen(resolve_address("mine", "9", "http://mine.example/")) == ("http://mine.example", "mine", 9)


def test_the_documented_second_names_work(monkeypatch):
    monkeypatch.setenv("CODEGEN_TOKEN", "second")
    monkeypatch.setenv("CODEGEN_API_BASE_URL", "https://second.example")
    assert seen(resolve_address()) == ("https://second.example", "second", None)


def test_a_dotenv_file_is_read_and_the_shell_wins(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("CODEGEN_API_TOKEN=from-file\nCODEGEN_ORG_ID=3\n")
    assert seen(resolve_address()) == ("http://127.0.0.1:8000", "from-file", 3)
    monkeypatch.setenv("CODEGEN_API_TOKEN", "from-shell")
    assert seen(resolve_address())[1] == "from-shell"


@pytest.mark.parametrize("name", ["CODEGEN_BASE_URL", "CODEGEN_API_BASE_URL"])
@pytest.mark.parametrize("beside", ["", "CODEGEN_API_TOKEN=from-file\n"])
def test_no_token_goes_to_an_address_that_only_a_dotenv_file_names(local, tmp_path, monkeypatch, name, beside):
    (tmp_path / ".env").write_text(f"{name}=https://evil.example/v1\n{beside}")
    with pytest.raises(SettingsError, match=r"https://evil\.example is from the file \.env .* from the program"):
        resolve_address("mine")
    monkeypatch.setenv("CODEGEN_TOKEN", "from-shell")
    with pytest.raises(SettingsError, match=r"https://evil\.example is from the file \.env .*CODEGEN_API_TOKEN"):
        resolve_address()
    for other in ("CODEGEN_BASE_URL", "CODEGEN_API_BASE_URL"):
        with monkeypatch.context() as shell:
            shell.setenv(other, "https://good.example")
            assert seen(resolve_address())[:2] == ("https://good.example", "from-shell")
    assert seen(resolve_address(base_url="http://mine.example"))[:2] == ("http://mine.example", "from-shell")


def test_an_address_of_a_dotenv_file_gets_the_token_beside_it_and_never_the_local_one(local, tmp_path):
    (tmp_path / ".env").write_text("CODEGEN_BASE_URL=https://theirs.example\nCODEGEN_TOKEN=theirs\n")
    assert seen(resolve_address()) == ("https://theirs.example", "theirs", None)
    (tmp_path / ".env").write_text("CODEGEN_BASE_URL=https://theirs.example\n")
    with pytest.raises(UsageError, match="no token for https://theirs"):
        resolve_address()


def test_an_environment_token_without_an_address_goes_to_the_local_server(local, monkeypatch):
    monkeypatch.setenv("CODEGEN_API_TOKEN", "from-env")
    assert seen(resolve_address()) == ("http://127.0.0.1:8123", "from-env", None)


def test_the_local_token_goes_nowhere_else(local):
    for other in ("https://api.codegen.com", "http://127.0.0.1:9", "https://127.0.0.1:8123", "http://localhost:8123"):
        with pytest.raises(UsageError, match="no token"):
            resolve_address(base_url=other)
    assert seen(resolve_address(base_url="http://127.0.0.1:8123/v1/")) == ("http://127.0.0.1:8123", "ctx_local", 7)


def test_without_any_token_the_message_says_what_to_do():
    with pytest.raises(UsageError, match="contexten up"):
        resolve_address()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("https://api.codegen.com", "https://api.codegen.com"),
        ("https://api.codegen.com/", "https://api.codegen.com"),
        ("https://api.codegen.com/v1", "https://api.codegen.com"),
        (" https://api.codegen.com/v1/ ", "https://api.codegen.com"),
        ("http://[::1]:8000/v1", "http://[::1]:8000"),
        ("http://proxy.example/codegen/v1", "http://proxy.example/codegen"),
        ("HTTP://Host.Example:80", "http://host.example:80"),
    ],
)
def test_addresses_with_and_without_version(given, meant):
    assert normalize_base_url(given) == meant


@pytest.mark.parametrize(
    "value",
    ["", "api.codegen.com", "ftp://x", "http://", "http://x?y=1", "http://x/#y", "http://x:port", "file:///etc"],
)
def test_what_is_no_address_is_refused_with_its_value(value):
    with pytest.raises(UsageError, match="base_url"):
        normalize_base_url(value)


def test_credentials_in_an_address_are_refused_and_not_repeated():
    with pytest.raises(UsageError, match="user name or password") as caught:
        normalize_base_url("https://me:hunter2@example.com")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", ["abc", "", "1.5", "-1", "0", 0, -3, True, 1.5, "\u0661"])
def test_an_organization_that_is_no_number_is_named(value):
    with pytest.raises(UsageError, match="org_id") as caught:
        resolve_address("t", value, "http://x")
    assert repr(value) in str(caught.value)


def test_a_bad_organization_in_the_environment_is_named(monkeypatch):
    monkeypatch.setenv("CODEGEN_ORG_ID", "abc")
    with pytest.raises(SettingsError, match="CODEGEN_ORG_ID is 'abc'"):
        resolve_address("t", base_url="http://x")


@pytest.mark.parametrize("token", ["", "has space", "new\nline", "snow☃man"])
def test_a_token_that_cannot_be_one_is_refused_and_not_repeated(token):
    with pytest.raises(UsageError, match="token") as caught:
        resolve_address(token, 1, "http://x")
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "http://me:hunter2@host:port",
        "http://me:hunter2/@host",
        "me:hunter2@host",
        "https://me:hunter2@[::1",
        "ftp://me:hunter2@host",
        "http://host/?token=hunter2",
        "http://host/#hunter2",
    ],
)
def test_an_address_that_cannot_be_used_shows_no_secret(value):
    with pytest.raises(UsageError, match="base_url") as caught:
        normalize_base_url(value)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("host", ["256.256.256.256", "a..b.example", "a" * 70 + ".example", "☃.invalid"])
def test_a_host_that_cannot_be_one_is_named(host):
    for kind in (CodegenClient, AsyncCodegenClient):
        with pytest.raises(UsageError, match="base_url"):
            kind("t", 1, f"http://{host}")
