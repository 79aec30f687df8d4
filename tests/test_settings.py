"""Where settings come from, and what a `.env` file may not say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from contexten.errors import SettingsError
from contexten.settings import AutogenSettings, ClientSettings, ServerSettings

OPENING = {
    "CONTEXTEN_DATA_DIR": "theirs",
    "CONTEXTEN_CACHE_DIR": "theirs",
    "CONTEXTEN_DATABASE_URL": "postgresql://evil.example/x",
    "CONTEXTEN_HOST": "0.0.0.0",
    "CONTEXTEN_ALLOW_REMOTE": "true",
    "CONTEXTEN_METRICS_PORT": "1",
    "CONTEXTEN_METRICS_HOST": "0.0.0.0",
    "CONTEXTEN_DRAIN": "3600",
    "CONTEXTEN_ADMIN_TOKEN": "evil" * 10,
    "CONTEXTEN_ADMIN_TOKEN_FILE": "/evil",
    "CONTEXTEN_PUBLIC_URL": "https://evil.example",
    "CONTEXTEN_ALLOWED_HOSTS": "evil.example",
    "CONTEXTEN_ALLOWED_ORIGINS": "https://evil.example",
    "CONTEXTEN_REPO": "/",
    "CONTEXTEN_WORKER_ID": "theirs",
    "CONTEXTEN_ENGINE": "model",
    "CONTEXTEN_MODEL": "evil:model",
    "CONTEXTEN_MODEL_MAX_COST": "1000",
    "CONTEXTEN_SANDBOX": "none",
    "CONTEXTEN_REDIS_URL": "redis://evil.example",
    "CONTEXTEN_AUTOGEN_ENGINE": "theirs",
    "CONTEXTEN_AUTOGEN_MODEL": "evil:model",
    "CONTEXTEN_AUTOGEN_MAX_COST": "1000",
}

SPELLINGS = [("CONTEXTEN_LOG_LEVEL", "LOG_LEVEL"), ("LOG_LEVEL", "CONTEXTEN_LOG_LEVEL")]


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith(("CONTEXTEN_", "CODEGEN_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def dotenv(variables):
    Path(".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))


@pytest.mark.parametrize("spelling", [str.upper, str.lower])
def test_a_dotenv_file_opens_moves_and_redirects_nothing(spelling):
    before = ServerSettings(), ClientSettings(), AutogenSettings()
    dotenv({spelling(name): value for name, value in OPENING.items()})
    assert (ServerSettings(), ClientSettings(), AutogenSettings()) == before


def test_a_dotenv_file_says_what_else_a_project_wants():
    dotenv({"CONTEXTEN_PORT": 8123, "CONTEXTEN_RUN_TIMEOUT": 9, "LOG_LEVEL": "info", "CODEGEN_ORG_ID": 5})
    settings = ServerSettings()
    assert (settings.port, settings.run_timeout, settings.log_level) == (8123, 9, "INFO")
    assert ClientSettings().org_id == 5


def test_the_shell_wins_over_a_dotenv_file(monkeypatch):
    dotenv({"CONTEXTEN_PORT": 8123, "LOG_LEVEL": "info"})
    monkeypatch.setenv("CONTEXTEN_PORT", "8124")
    monkeypatch.setenv("CONTEXTEN_LOG_LEVEL", "error")
    assert (ServerSettings().port, ServerSettings().log_level) == (8124, "ERROR")


@pytest.mark.parametrize(("shell", "file"), SPELLINGS)
def test_the_nearest_source_wins_by_whichever_name_it_has_a_setting(monkeypatch, shell, file):
    dotenv({file: "info"})
    assert ServerSettings().log_level == "INFO"
    monkeypatch.setenv(shell.lower(), "error")
    assert ServerSettings().log_level == "ERROR"
    assert ServerSettings(**{file: "debug"}).log_level == "DEBUG"
    monkeypatch.setenv(shell.lower(), "")
    assert ServerSettings().log_level == "INFO"
    assert ServerSettings(_env_file=None).log_level == "WARNING"


def test_a_secret_can_be_kept_in_a_file_that_the_shell_names(tmp_path, monkeypatch):
    (tmp_path / "secret").write_text("postgresql://u:p@h/n\n")
    monkeypatch.setenv("CONTEXTEN_DATABASE_URL_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("CODEGEN_TOKEN_FILE", str(tmp_path / "secret"))
    assert ServerSettings().database_url.get_secret_value() == "postgresql://u:p@h/n"
    assert ClientSettings().api_token.get_secret_value() == "postgresql://u:p@h/n"
    monkeypatch.setenv("CONTEXTEN_DATABASE_URL", "postgresql://shell")
    assert ServerSettings().database_url.get_secret_value() == "postgresql://shell"


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_secrets_file_that_cannot_be_read_is_told(tmp_path, monkeypatch, content):
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    monkeypatch.setenv("CONTEXTEN_ADMIN_TOKEN_FILE", str(tmp_path / "secret"))
    with pytest.raises(SettingsError, match=r"secret \(CONTEXTEN_ADMIN_TOKEN_FILE\) cannot be read: "):
        ServerSettings()


def test_what_is_ignored_is_told_once_on_standard_error():
    dotenv(OPENING | {"CONTEXTEN_PORT": 8123, "SOMETHING": "else"})
    program = "from contexten.settings import *; ServerSettings(); ClientSettings(); print(ServerSettings().port)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "8123\n"
    lines = done.stderr.splitlines()
    assert sorted(line.split()[0] for line in lines) == sorted(OPENING)
    assert all(".env is ignored" in line and "Export it instead" in line for line in lines)
    assert "evil" not in done.stderr


def test_folders_are_absolute_and_stay_where_they_are(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    names = {"~/ctx": tmp_path / "home" / "ctx", "relative": tmp_path / "relative", "link/x": tmp_path / "real" / "x"}
    for written, meant in names.items():
        for name in ("CONTEXTEN_DATA_DIR", "CONTEXTEN_CACHE_DIR", "CONTEXTEN_REPO"):
            monkeypatch.setenv(name, written)
        found = ServerSettings()
        assert {found.data_dir, found.cache_dir, found.repo, ClientSettings().data_dir} == {meant}
    monkeypatch.delenv("CONTEXTEN_REPO")
    monkeypatch.setenv("CONTEXTEN_DATA_DIR", "")
    assert ServerSettings().repo is None
    assert ServerSettings().data_dir == tmp_path / "home" / ".local" / "share" / "contexten"


@pytest.mark.parametrize("written", ["~nobody.of.this.name/x", "loop/x"])
def test_a_folder_that_cannot_be_meant_is_told(tmp_path, monkeypatch, written):
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setenv("CONTEXTEN_DATA_DIR", written)
    with pytest.raises(ValidationError, match="CONTEXTEN_DATA_DIR"):
        ServerSettings()
