"""Parts that several pages are made of."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink


def link(*children: Any, to: Any, **props: Any) -> rx.Component:
    """A link to another page of the dashboard."""
    return ReactRouterLink.create(*children, to=to, **props)


def status(word: Any, tone: Any) -> rx.Component:
    """A status in its colour and in words."""
    return rx.el.span(rx.el.span(class_name="dot", aria_hidden="true"), word, class_name=f"status {tone}")


def moment(value: Any, kind: str = "age") -> rx.Component:
    """A time, as how long ago it was (`age`) or how long it has been going on (`elapsed`); the browser keeps it up to date."""
    return rx.el.time(date_time=value, custom_attrs={"data-kind": kind}, class_name="figure")


def fact(text: Any) -> rx.Component:
    """Something small that is known, or nothing."""
    return rx.cond(text != "", rx.el.span(text, class_name="figure"))


def problem(text: Any) -> rx.Component:
    """Why something could not be done; heard at once."""
    return rx.el.div(rx.cond(text != "", rx.el.p(text, class_name="problem")), role="alert")


def told(text: Any) -> rx.Component:
    """What was done; heard when there is time."""
    return rx.el.div(rx.cond(text != "", rx.el.p(text, class_name="told")), role="status")


def announced(text: Any) -> rx.Component:
    """What has happened, for those who hear the page alone."""
    return rx.el.div(text, role="status", class_name="unseen")


def wrong(name: str, text: Any) -> rx.Component:
    """What is wrong with a field, beside it."""
    return rx.el.p(text, id=f"{name}-wrong", class_name="wrong", role="alert")


def button(*children: Any, kind: str = "", **props: Any) -> rx.Component:
    """A button; of kind main, danger or quiet."""
    props.setdefault("type", "button")
    return rx.el.button(*children, class_name=f"button {kind}".strip(), **props)


def copy(label: str, text: Any) -> rx.Component:
    """A button that copies a text."""
    return button(label, kind="quiet", custom_attrs={"data-copy": text})


def sure(question: Any, *, yes: Any, no: Any) -> rx.Component:
    """A question before something that cannot be undone."""
    return rx.el.div(
        rx.el.span(question),
        button("Delete", kind="danger", on_click=yes),
        button("Keep", on_click=no, auto_focus=True),
        role="group",
        aria_label=question,
        class_name="sure",
    )


def colours(name: str) -> rx.Component:
    """The choice of colours, which the browser keeps by itself: nothing of it needs the server."""
    return rx.el.select(
        rx.el.option("Auto", value="system"),
        rx.el.option("Light", value="light"),
        rx.el.option("Dark", value="dark"),
        custom_attrs={"data-colours": "true"},
        class_name="select small",
        id=name,
    )


def empty(title: Any, *children: Any) -> rx.Component:
    """What stands where there is nothing yet."""
    return rx.el.div(rx.el.p(title, class_name="empty-title"), *children, class_name="empty")


def loading() -> rx.Component:
    """What stands where something is about to be."""
    return rx.el.p("Loading…", class_name="loading", aria_busy="true")


def one(state: Any, content: rx.Component, *, back: str, to: str) -> rx.Component:
    """The content of a page of one thing, once it is there; else why it is not."""
    return rx.cond(
        state.absent != "",
        empty(state.absent, link(back, to=to, class_name="button")),
        rx.cond(state.loaded, content, rx.fragment(problem(state.problem), rx.cond(state.problem == "", loading()))),
    )
