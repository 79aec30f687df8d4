"""The Reflex app: every page under its address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from contexten.dashboard.choices import Choices
from contexten.dashboard.hosting.apart import set_apart
from contexten.dashboard.pages.run import run_page
from contexten.dashboard.pages.runs import runs_page
from contexten.dashboard.pages.settings import settings_page
from contexten.dashboard.pages.setup import setup_page
from contexten.dashboard.pages.shell import absent_page, connection_note
from contexten.dashboard.pages.workflows import workflow_page, workflows_page
from contexten.dashboard.preferences import Preferences
from contexten.dashboard.run import Run
from contexten.dashboard.runs import Runs
from contexten.dashboard.starting import Starting
from contexten.dashboard.visit import Visit
from contexten.dashboard.workflows import OneWorkflow, Workflows

if TYPE_CHECKING:
    from collections.abc import Callable

set_apart()
app = rx.App(
    stylesheets=["/contexten.css"],
    head_components=[
        rx.el.script(src="/contexten.js"),
        rx.el.link(rel="icon", href="/contexten.svg", type="image/svg+xml"),
    ],
    html_lang="en",
    app_wraps={(5, "Overlay"): lambda stateful: connection_note() if stateful else None},
    toaster=None,
)


def _add(page: Callable[[], rx.Component], route: str, title: Any, *load: Any) -> None:
    app.add_page(page, route=route, title=title, on_load=[Visit.enter, *load])


_add(runs_page, "/", "Runs · Contexten", Starting.begin, Runs.load)
_add(run_page, "/runs/[run_id]", Run.title, Run.load)
_add(workflows_page, "/workflows", "Workflows · Contexten", Workflows.load)
_add(workflow_page, "/workflows/[workflow_id]", OneWorkflow.title, OneWorkflow.load)
_add(setup_page, "/setup", "Engines and repositories · Contexten", Choices.load)
app.add_page(absent_page, route="404", title="No such page · Contexten", on_load=Visit.enter)
_add(settings_page, "/settings", "Settings · Contexten", Preferences.load)
