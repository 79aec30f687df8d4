"""The settings page writes `.env`, and nothing else of it changes."""

import stat

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from contexten.dashboard.envfile import ADDRESS, ORGANIZATION, TOKEN, objection, write_settings
from contexten.errors import SettingsError

SECRET = "ctx_0123456789abcdefghij"


def test_the_file_is_made_for_its_owner_alone(tmp_path):
    path = write_settings(tmp_path, {TOKEN: SECRET, ORGANIZATION: "1", ADDRESS: "http://127.0.0.1:8000"})
    assert dotenv_values(path) == {TOKEN: SECRET, ORGANIZATION: "1", ADDRESS: "http://127.0.0.1:8000"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [".env"]


def test_other_lines_stay_and_a_setting_has_one_line(tmp_path):
    path = tmp_path / ".env"
    path.write_text(
        f"# mine\nOTHER='a b'\nexport CODEGEN_TOKEN=old # no\n\nCODEGEN_ORG_ID=3\nCODEGEN_ORG_ID=4\n#{TOKEN}=x\n"
    )
    path.chmod(0o644)
    write_settings(tmp_path, {TOKEN: SECRET, ORGANIZATION: "", ADDRESS: "https://e.com/v1"})
    assert path.read_text() == f"# mine\nOTHER='a b'\n{TOKEN}={SECRET}\n\n#{TOKEN}=x\n{ADDRESS}=https://e.com/v1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_not_named_stays(tmp_path):
    write_settings(tmp_path, {TOKEN: SECRET})
    write_settings(tmp_path, {ORGANIZATION: "7"})
    assert dotenv_values(tmp_path / ".env") == {TOKEN: SECRET, ORGANIZATION: "7"}


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=60))
def test_any_token_is_read_as_it_was_written(tmp_path_factory, token):
    path = write_settings(tmp_path_factory.mktemp("env"), {TOKEN: token})
    assert dotenv_values(path, interpolate=True)[TOKEN] == token


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (TOKEN, "short", "8 to 512"),
        (TOKEN, "two words here", "without spaces"),
        (TOKEN, f"{SECRET}\nX=1", "without spaces"),
        (ORGANIZATION, "0", "number"),
        (ORGANIZATION, "one", "number"),
        (ORGANIZATION, "9" * 30, "number"),
        (ADDRESS, "127.0.0.1:8000", "http://"),
        (ADDRESS, "https://user:pw@e.com", "http://"),
        (ADDRESS, "https://e.com\nX=1", "http://"),
        (ADDRESS, "http://e.com", "unprotected"),
    ],
)
def test_what_cannot_be_meant_is_said_and_not_written(tmp_path, name, value, said):
    assert said in objection(name, value)
    with pytest.raises(SettingsError, match=said):
        write_settings(tmp_path, {name: value})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", ["http://localhost:8000", "http://[::1]:8000/v1", "https://api.codegen.com/v1", ""])
def test_addresses_that_can_be_meant(address):
    assert not objection(ADDRESS, address)


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "real").write_text("A=1\n")
    (tmp_path / ".env").symlink_to(tmp_path / "real")
    with pytest.raises(SettingsError, match="is a link"):
        write_settings(tmp_path, {TOKEN: SECRET})
    assert (tmp_path / "real").read_text() == "A=1\n"


def test_what_cannot_be_written_is_said(tmp_path):
    (tmp_path / ".env").mkdir()
    with pytest.raises(SettingsError, match="cannot be written"):
        write_settings(tmp_path, {TOKEN: SECRET})
