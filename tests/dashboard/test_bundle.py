"""Whether built pages are those of their sources, how they are sent, and what Reflex may do in somebody's project."""

import json
import os
import subprocess
import sys

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from contexten.dashboard.hosting.bundle import Bundle, fingerprint
from contexten.dashboard.hosting.files import Files, digest_of

LOAD = """
import os, sys
from pathlib import Path
from contexten.dashboard.hosting.bundle import Bundle
from contexten.dashboard.hosting.live import _load
before = dict(os.environ)
app, asgi = _load(Bundle(Path(sys.argv[1])))
assert dict(os.environ) == before, "the environment of the server was changed"
assert app._state is not None
"""


@pytest.fixture
def sources(tmp_path):
    """A folder of sources of their own, beside which pages are built."""
    folder = tmp_path / "dashboard"
    (folder / "hosting").mkdir(parents=True)
    (folder / "app.py").write_text("app = 1")
    return folder


@pytest.fixture
def built(sources):
    made = Bundle(sources / "web")
    made.client.mkdir(parents=True)
    made.sign(fingerprint(sources))
    return made


def test_pages_are_stale_as_soon_as_a_source_changes(sources, built):
    assert built.state == "ready"
    (sources / "hosting" / "door.py").write_text("no page")
    (sources / "session.py").write_text("no page")
    assert built.state == "ready"
    (sources / "app.py").write_text("app = 2")
    assert built.state == "stale"
    (sources / "app.py").write_text("app = 1")
    assert built.state == "ready"
    (sources / "pages.py").write_text("")
    assert built.state == "stale"


@pytest.mark.parametrize("note", [None, "", "[]", "{}"])
def test_pages_without_a_note_are_missing(built, note):
    path = built.folder / "bundle.json"
    if note is None:
        path.unlink()
    else:
        path.write_text(note)
    assert built.state == "missing"


@pytest.fixture
def client(built):
    page = "<html><script>one()</script><script src=/assets/a.js></script></html>"
    for name in ("index.html", "settings.html", "404.html", "__spa-fallback.html"):
        (built.client / name).write_text(f"{page}{name}")
    (built.client / "assets").mkdir()
    (built.client / "assets" / "a.js").write_text("one()")
    (built.client / "assets" / "a.js.gz").write_bytes(b"packed")
    (built.client / "style.css").write_text("a{}")
    (built.client / ".vite").mkdir()
    (built.client / ".vite" / "manifest.json").write_text("{}")
    (built.folder.parent / "secret.txt").write_text("secret")
    (built.folder / "routes.json").write_text(json.dumps(["index", "settings", "runs/[run_id]", "404"]))
    files = Files(built)

    async def app(scope, receive, send):
        from starlette.requests import Request

        request = Request(scope)
        answer = files.answer(request) or PlainTextResponse("nothing", 404)
        await answer(scope, receive, send)

    starlette = Starlette()
    starlette.mount("/", app)
    return TestClient(starlette, headers={"Accept-Encoding": "identity"})


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/", "index.html"),
        ("/settings", "settings.html"),
        ("/settings/", "settings.html"),
        ("/runs/12", "__spa-fallback.html"),
    ],
)
def test_each_page_has_its_shell_and_a_policy_that_lets_only_its_own_scripts_run(client, path, page):
    answer = client.get(path)
    assert answer.text.endswith(page)
    policy = answer.headers["content-security-policy"]
    assert f"script-src 'self' {digest_of('one()')};" in policy
    assert "default-src 'none'" in policy
    assert answer.headers["cache-control"] == "no-cache"


def test_files_are_sent_as_browsers_keep_them(client):
    plain = client.get("/assets/a.js")
    assert (plain.text, plain.headers["content-type"]) == ("one()", "text/javascript; charset=utf-8")
    assert "immutable" in plain.headers["cache-control"]
    assert client.get("/style.css").headers["cache-control"] == "no-cache"
    with client.stream("GET", "/assets/a.js", headers={"Accept-Encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert b"".join(packed.iter_raw()) == b"packed"


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/runs", "/runs/1/2", "/index.html", "/.vite/manifest.json", "/../secret.txt", "/%2e%2e/secret.txt",
     "/assets/../../secret.txt", "/assets", "/bundle.json", "/..%2fsecret.txt"],
)  # fmt: skip
def test_nothing_else_is_sent(client, path):
    assert client.get(path).status_code == 404


def test_reflex_touches_nothing_of_the_project_in_which_a_server_is_started(tmp_path):
    project, made = tmp_path / "project", tmp_path / "web"
    (project / "assets" / "external").mkdir(parents=True)
    (project / "assets" / "external" / "link").symlink_to(tmp_path / "nowhere")
    (project / "rxconfig.py").write_text("raise SystemExit('the project was run')")
    (made / "backend").mkdir(parents=True)
    (made / "backend" / "stateful_pages.json").write_text("[]")
    home = tmp_path / "home"
    home.mkdir()
    environment = {"PATH": os.defpath, "HOME": str(home)}
    subprocess.run(
        [sys.executable, "-W", "error", "-c", LOAD, str(made)], cwd=project, env=environment, check=True, timeout=150
    )
    assert (project / "assets" / "external" / "link").is_symlink()
    assert sorted(path.name for path in project.iterdir()) == ["assets", "rxconfig.py"]
    assert not list(home.iterdir())
    assert sorted(path.name for path in made.iterdir()) == ["backend"]
