"""Extensions by name: registered ones here, and those of packages in an environment of its own, each in its own process."""

import json
import logging
import os
import subprocess
import sys
import threading
import venv
from pathlib import Path

import pytest

import contexten
from contexten import extensions
from contexten.autogenlib import AutogenClient, ContextenBridge
from contexten.errors import ExtensionError, UsageError
from contexten.extensions import ExtensionRegistry

WHERE = "import os, sys\nWHERE = 'package'\n"


@pytest.fixture
def registry():
    return ExtensionRegistry("contexten.tests.nobody")


def test_what_is_registered_is_there(registry):
    one, other = object(), object()
    registry.register_extension("one", one)
    registry.register_extension("one", one)
    assert registry.get_extension("one") is one
    assert (registry.names(), registry.load(), registry.problems()) == (["one"], {"one": one}, {})
    with pytest.raises(UsageError, match="replace=True"):
        registry.register_extension("one", other)
    registry.register_extension("one", other, replace=True)
    assert registry.get_extension("one") is other
    assert (registry.unregister_extension("one"), registry.unregister_extension("one")) == (True, False)
    with pytest.raises(ExtensionError, match=r"no extension 'one'\. Those there are: none"):
        registry.get_extension("one")


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "a/b", "a\n", None, 7])
def test_a_name_must_be_one(registry, name):
    with pytest.raises(UsageError, match="name"):
        registry.register_extension(name, object())


def test_nothing_is_no_extension(registry):
    with pytest.raises(UsageError, match="nothing to register"):
        registry.register_extension("one", None)


def test_the_bridge_registers_itself(registry):
    with AutogenClient() as client:
        bridge = ContextenBridge(client)
        bridge.register_with_contexten(registry)
        bridge.register_with_contexten(extensions)
        try:
            assert registry.get_extension("autogenlib") is extensions.get_extension("autogenlib") is bridge
        finally:
            extensions.unregister_extension("autogenlib")


def test_threads_that_register_one_name_agree(registry):
    start, won = threading.Barrier(8), []

    def register():
        mine = object()
        start.wait()
        try:
            registry.register_extension("one", mine)
        except UsageError:
            return
        won.append(mine)

    threads = [threading.Thread(target=register) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [registry.get_extension("one")]


class Environment:
    """An environment that has Contexten and the packages that are put into it."""

    def __init__(self, folder):
        venv.EnvBuilder(symlinks=True).create(folder)
        self.python = folder / "bin" / "python"
        self.packages = next(folder.glob("lib/python*/site-packages"))
        known = [str(Path(contexten.__file__).parents[1]), *[each for each in sys.path if "site-packages" in each]]
        (self.packages / "known.pth").write_text("\n".join(known) + "\n")

    def offer(self, name, target, version="1.0", folder=None, **files):
        """Install a package that offers an extension."""
        folder = folder or self.packages
        info = folder / f"{name}-{version}.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[contexten.extensions]\n{target}\n")
        for file, text in files.items():
            (folder / f"{file}.py").write_text(text)
        return info

    def __call__(self, program, here):
        """What a program says that is started in a folder."""
        done = subprocess.run(
            [self.python, "-W", "error", "-c", program], cwd=here, env={"PATH": os.environ["PATH"]}, capture_output=True,
            text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        self.complaints = done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    made = Environment(tmp_path_factory.mktemp("environment") / "venv")
    made.offer("acme-good", "good = acme_good:EXTENSION", acme_good=f"{WHERE}EXTENSION = 'the good one'\n")
    made.offer("acme-shadowed", "shadowed = acme_shadowed:WHERE", acme_shadowed=WHERE)
    made.offer("acme-broken", "broken = acme_broken", acme_broken="raise RuntimeError('no luck')\n")
    made.offer("acme-leaving", "leaving = acme_leaving", acme_leaving="raise SystemExit('bye')\n")
    made.offer("acme-absent", "absent = acme_good:NOTHING")
    made.offer("acme-twice", "twice = acme_good:WHERE")
    made.offer("beta-twice", "twice = acme_good:WHERE")
    (made.offer("acme-unread", "x = y") / "entry_points.txt").write_bytes(b"[contexten.extensions]\n\xff\xfe = \n")
    edited = made.packages.parents[2] / "edited"
    info = made.offer("acme-edited", "edited = acme_edited:WHERE")
    edited.mkdir()
    (edited / "acme_edited.py").write_text(WHERE)
    (info / "direct_url.json").write_text(f'{{"url": "{edited.as_uri()}", "dir_info": {{"editable": true}}}}')
    (made.packages / "edited.pth").write_text(f"{edited}\n")
    return made


def test_packages_offer_extensions_and_broken_ones_are_left_out(environment, tmp_path):
    said = environment(
        "import sys\nfrom contexten import extensions\nprint(extensions.extension_names())\n"
        "print('acme_good' in sys.modules, extensions.get_extension('good'), extensions.registry.package_of('good'))\n"
        "print(sorted(extensions.load_extensions()))\nextensions.load_extensions()\n"
        "print(*sorted(extensions.extension_problems().values()), sep='\\n')\n",
        tmp_path,
    )
    names, good, loaded, *problems = said.splitlines()
    assert names == "['absent', 'broken', 'edited', 'good', 'leaving', 'shadowed']"
    assert good == "False the good one acme-good 1.0"
    assert loaded == "['edited', 'good', 'shadowed']"
    for part in (
        "acme-absent 1.0",
        "RuntimeError: no luck",
        "SystemExit: bye",
        "acme-twice 1.0, beta-twice 1.0",
        "metadata",
    ):
        assert sum(part in each for each in problems) == 1, problems
        assert environment.complaints.count(part) == 1


def test_nothing_is_loaded_from_the_current_folder(environment, tmp_path):
    """Neither a package's metadata that lies there, nor a file with the name of an installed module."""
    hostile = "import pathlib\npathlib.Path('executed').touch()\nWHERE = EXTENSION = 'current folder'\n"
    environment.offer("evil", "evil = evil_module:WHERE", folder=tmp_path, evil_module=hostile, acme_shadowed=hostile)
    said = environment(
        "import sys\nfrom contexten import extensions\nassert sys.path[0] == ''\nprint('evil' in extensions.extension_names())\n"
        "print(sorted(extensions.load_extensions()))\nprint(extensions.extension_problems()['shadowed'])\n",
        tmp_path,
    )
    offered, loaded, problem = said.splitlines()
    assert (offered, loaded) == ("False", "['edited', 'good']")
    assert f"would be imported from {tmp_path / 'acme_shadowed.py'}" in problem
    assert not (tmp_path / "executed").exists()


def test_the_command_lists_them_and_says_what_is_broken(environment, tmp_path):
    program = "from contexten.cli import main\nprint('code', main(['extensions', *{words}]))\n"
    said = environment(program.format(words=[]), tmp_path).splitlines()
    assert said[0] == "NAME\tPACKAGE\tSTATE"
    assert {"good\tacme-good 1.0\tok", "broken\tacme-broken 1.0\tbroken", "code 1"} <= set(said)
    assert environment.complaints == ""
    data = json.loads(environment(program.format(words=["--json"]), tmp_path).rpartition("code")[0])
    assert {"name": "good", "package": "acme-good 1.0", "loaded": True} in data["extensions"]
    assert set(data["problems"]) >= {"broken", "twice"}


def test_what_a_program_registers_wins(environment, tmp_path):
    said = environment(
        "from contexten import extensions\nextensions.register_extension('good', 'mine')\n"
        "print(extensions.get_extension('good'), extensions.registry.package_of('good'))\n",
        tmp_path,
    )
    assert said == "mine None"


def test_a_problem_is_told_once(caplog):
    """The process of the tests has no extension installed, so nothing is told here."""
    with caplog.at_level(logging.WARNING, "contexten.extensions"):
        assert extensions.load_extensions() == {}
    assert not caplog.records
