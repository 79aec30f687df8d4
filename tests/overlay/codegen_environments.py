"""Virtual environments with the real `codegen` package, made with uv from its cache."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

import pytest

from contexten.overlay import find
from interpreters import find_python, find_uv

ROOT = Path(__file__).parents[2]
NEWEST = "0.57.0"
ALWAYS = [("0.57.0", "3.12"), ("0.56.3", "3.12"), ("0.57.0", "3.13")]
VERSIONS = ("0.54.1", "0.55.7", "0.56.2", "0.56.3", "0.56.27", "0.57.0")


def every_version(*left_out: str, always: list[tuple[str, str]] = ALWAYS):
    """Parameters `(version, python)` with the mark `matrix`; without `-m matrix` only those of `always` are run."""
    chosen = [(version, python) for version in VERSIONS if version not in left_out for python in ("3.12", "3.13")]
    marks = {pair: pytest.mark.matrix(always=pair in always) for pair in chosen}
    return [pytest.param(*pair, marks=marks[pair], id="-py".join(pair)) for pair in chosen]


@dataclass(frozen=True)
class Environment:
    """A virtual environment with `codegen`."""

    root: Path

    @property
    def python(self) -> Path:
        return self.root / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        return next(self.root.glob("lib/python3*/site-packages"))

    @property
    def package(self) -> Path:
        return self.site_packages / "codegen"

    @property
    def agent(self) -> Path:
        return self.package / "agents" / "agent.py"

    @property
    def record(self) -> Path:
        return next(self.site_packages.glob("codegen-*.dist-info/RECORD"))

    @property
    def record_name(self) -> str:
        return self.record.relative_to(self.site_packages).as_posix()

    def target(self):
        return find(python=self.python)

    def run(self, program: str, *args: str, **variables: str) -> str:
        """What a program prints; it must succeed."""
        return self.python_with("-c", program, *args, **variables)

    def python_with(self, *words: str, **variables: str) -> str:
        """What the interpreter prints when it is called so; it must succeed."""
        environment = self.variables() | variables
        command = [str(self.python), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=self.root
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def variables(self) -> dict[str, str]:
        """The environment variables of its programs, without those that they are given."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CODEGEN", "COV"))}
        quiet = {"TELEMETRY_ENABLED": "false", "TELEMETRY_CONSENT_PROMPTED": "true"}
        return inherited | quiet | {"CONTEXTEN_OVERLAY_BRIDGE": "0", "HOME": str(self.root)}

    def snapshot(self) -> dict[str, tuple[str, int]]:
        """Hash and mode of each file of the package and its metadata, compiled files left out."""
        folders = [self.package, *self.site_packages.glob("codegen-*.dist-info")]
        files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
        return {
            file.relative_to(self.site_packages).as_posix(): (_sha256(file).hex(), file.stat().st_mode)
            for file in files
            if file.suffix != ".pyc"
        }

    def untrue_records(self) -> list[str]:
        """Files whose content is not what RECORD says."""
        rows = [row for row in csv.reader(self.record.read_text().splitlines()) if row[1]]
        digests = {row[0]: row[1] for row in rows if not row[0].startswith("..")}
        return [
            name
            for name, digest in digests.items()
            if digest != f"sha256={urlsafe_b64encode(_sha256(self.site_packages / name)).rstrip(b'=').decode()}"
        ]


def _sha256(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()


def uv(*words: str, link_mode: str = "copy") -> None:
    """Run uv. Tests that edit files need copies: a write through a hard link would reach uv's cache."""
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_LINK_MODE": link_mode}
    subprocess.run([find_uv(), *words, "--quiet"], check=True, env=environment, timeout=600)


def make_environment(
    root: Path, version: str, python: str, *, whole: bool, link_mode: str | None = None
) -> Environment:
    """An environment with this version; without what the package needs to run unless it is to be whole."""
    uv("venv", str(root), "--python", str(find_python(python)), "--no-project")
    needs = () if whole else ("--no-deps",)
    mode = link_mode or ("hardlink" if whole else "copy")
    uv("pip", "install", "--python", str(root), f"codegen=={version}", *needs, link_mode=mode)
    return Environment(root)
