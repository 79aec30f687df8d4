"""What every page has around its content: the bar, what is wrong with the connection, and the way to sign in."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors

from contexten.dashboard.pages.parts import colours, empty, link
from contexten.dashboard.visit import Visit

_LINKS = (("Runs", "/"), ("Workflows", "/workflows"), ("Engines", "/setup"), ("Settings", "/settings"))


def shell(name: str, *content: Any, wide: bool = False, always: Any = None) -> rx.Component:
    """A page.

    Args:
        name: the link of the bar that it belongs to.
        content: what it shows to somebody who is signed in.
        wide: whether it takes the height of the window for itself.
        always: what it shows below to everybody.
    """
    return rx.el.div(
        rx.el.a("Skip to the content", href="#content", class_name="skip"),
        _bar(name),
        _server_note(),
        rx.el.main(
            rx.cond(Visit.phase == "signed_out", _signed_out(), rx.fragment(*content)),
            always or rx.fragment(),
            id="content",
            tab_index=-1,
            class_name="content wide" if wide else "content",
        ),
        class_name="page",
    )


def connection_note() -> rx.Component:
    """Says that the page has lost its own server, for as long as it has."""
    return rx.el.div(
        rx.cond(
            has_connection_errors,
            rx.el.p(
                rx.el.strong("The server does not answer. "),
                "This page comes back by itself as soon as it does. If it was stopped: ",
                rx.el.code("contexten up"),
                class_name="banner",
            ),
        ),
        role="status",
    )


def absent_page() -> rx.Component:
    """What is shown under an address that no page has."""
    return shell("", empty("There is no such page.", link("Show all runs", to="/", class_name="button")))


def _bar(name: str) -> rx.Component:
    return rx.el.header(
        link("Contexten", to="/", class_name="mark"),
        rx.el.nav(
            *[
                link(text, to=to, class_name="nav", custom_attrs={"aria-current": "page"} if text == name else {})
                for text, to in _LINKS
            ],
            aria_label="Pages",
        ),
        rx.el.span(
            rx.cond(
                Visit.live & ~has_connection_errors,
                rx.el.span(rx.el.span(class_name="dot"), "Live", class_name="status good", title="Connected"),
                rx.el.span(rx.el.span(class_name="dot"), "Not live", class_name="status idle"),
            ),
            class_name="connected",
        ),
        rx.el.label(
            rx.el.span("Colours", class_name="unseen"),
            colours("colours"),
        ),
        class_name="bar",
    )


def _server_note() -> rx.Component:
    """Says that the server that the pages talk to is gone; in its own process that is the connection's note."""
    return rx.el.div(
        rx.cond(
            (Visit.lost != "") & (Visit.phase != "signed_out"),
            rx.el.p(Visit.lost, " It is tried again by itself.", class_name="banner"),
        ),
        role="status",
    )


def _signed_out() -> rx.Component:
    return rx.el.section(
        rx.el.h1("Not signed in"),
        rx.cond(
            Visit.standalone,
            rx.fragment(
                rx.el.p("There is no token that the server takes."),
                rx.el.p("Give one in the ", link("settings", to="/settings"), ", or start the local server:"),
            ),
            rx.fragment(
                rx.el.p("Your session has ended. For a new one, run this where the server runs, and open its link:")
            ),
        ),
        rx.el.pre(
            rx.cond(Visit.standalone, "contexten up", "contexten dashboard --open"), class_name="command", tab_index=0
        ),
        class_name="panel",
    )
