"""The Reflex app: every page under its address."""

from __future__ import annotations

import reflex as rx

from contexten.dashboard.shell import connection_note


def _runs() -> rx.Component:
    return rx.el.main(rx.el.h1("Runs"))


app = rx.App(
    stylesheets=["/contexten.css"],
    html_lang="en",
    app_wraps={(5, "Overlay"): lambda stateful: connection_note() if stateful else None},
    toaster=None,
)
app.add_page(_runs, route="/", title="Runs · Contexten")
