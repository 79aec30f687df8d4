"""A browser, and a server with the dashboard: one of each for a file of scenarios."""

import shutil
from pathlib import Path

import pytest

from contexten.dashboard.hosting.build import BuildError, build
from contexten.dashboard.hosting.front import dashboard
from interpreters import missing
from running_server import running

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
PATIENCE_MS = 60_000
HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def bundle():
    """The built pages. Workers that ask at once wait for one build."""
    try:
        build()
    except BuildError as error:
        missing(str(error))


@pytest.fixture(scope="module")
def place(tmp_path_factory, bundle):
    with running(tmp_path_factory.mktemp("dashboard"), front=dashboard) as place:
        yield place


@pytest.fixture(scope="module")
def chromium():
    """One for a file only: its driver keeps an event loop in this thread, in which `asyncio.run` then fails."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    program = shutil.which("chromium") or missing("chromium is not on PATH. Install it: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Opens a page in a browser of its own, which has no cookies yet. What a page complains of fails the test."""
    contexts, complaints = [], []

    def opened(**options):
        context = chromium.new_context(**{"viewport": {"width": 1200, "height": 800}} | options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.extend([message.text] * is_complaint(message)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


def is_complaint(message):
    """Whether a page should not have written this. The browser itself writes of answers such as 401, and of a
    connection that is cut off by leaving the page."""
    by_the_browser = ("Failed to load resource", "WebSocket connection to")
    return message.type == "error" and not message.text.startswith(by_the_browser)


@pytest.fixture
def link(place):
    """Makes a fresh link that signs in."""

    def made(caller=None):
        caller = caller or place.admin
        return caller.http.post(caller.url("/sign-in-links")).json()["url"]

    return made


@pytest.fixture
def enter(visit, link):
    """Opens a page signed in: at an address, and with options of the browser such as its size."""

    def opened(path="/", **options):
        page = visit(**options)
        page.goto(link().replace("/?", f"{path}?"))
        return page

    return opened


@pytest.fixture
def page(enter):
    return enter()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What browsers show is the same on every Python."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker("once")
