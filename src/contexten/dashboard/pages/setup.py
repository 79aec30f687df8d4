"""The page of engines and repositories: what is ready, and what each needs."""

from __future__ import annotations

import reflex as rx

from contexten.dashboard.choices import Choices, Engine, Place
from contexten.dashboard.pages.parts import button, empty, loading, problem, status, sure, told
from contexten.dashboard.pages.shell import shell


def setup_page() -> rx.Component:
    """Engines and repositories."""
    return shell(
        "Engines",
        rx.el.h1("Engines and repositories"),
        problem(Choices.problem),
        told(Choices.told),
        rx.cond(
            Choices.loaded,
            rx.fragment(_engines(), _repositories()),
            rx.cond(Choices.problem == "", loading()),
        ),
    )


def _engines() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Engines"),
        rx.el.ul(rx.foreach(Choices.engines, _engine), class_name="facts"),
        rx.el.p("Everything that this machine needs: ", rx.el.code("contexten doctor"), class_name="hint"),
    )


def _engine(engine: rx.vars.ObjectVar[Engine]) -> rx.Component:
    return rx.el.li(
        rx.el.span(
            engine.name, rx.cond(engine.default, rx.el.span("default", class_name="tag")), class_name="fact-name"
        ),
        rx.cond(engine.ready, status("ready", "good"), status("not ready", "hold")),
        rx.el.span(engine.detail, class_name="fact-detail"),
        class_name="fact",
    )


def _repositories() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Repositories"),
        rx.cond(
            Choices.repositories.length() > 0,
            rx.el.ul(rx.foreach(Choices.repositories, _repository), class_name="facts"),
            empty("No repositories yet."),
        ),
        rx.cond(
            Choices.more_repositories,
            rx.el.p("There are more: ", rx.el.code("contexten repos list"), class_name="hint"),
        ),
        rx.el.form(
            rx.el.label(
                "Add a folder of the server's machine, or an address to clone", html_for="location", class_name="label"
            ),
            rx.el.div(
                rx.el.input(
                    id="location",
                    name="location",
                    placeholder="/home/you/shop or https://github.com/you/shop",
                    class_name="input",
                    auto_complete="off",
                    spell_check=False,
                ),
                rx.el.button(
                    rx.cond(Choices.adding, "Adding…", "Add"),
                    type="submit",
                    class_name="button",
                    disabled=Choices.adding,
                ),
                class_name="together",
            ),
            on_submit=Choices.add,
            class_name="panel",
            aria_label="Add a repository",
        ),
    )


def _repository(place: rx.vars.ObjectVar[Place]) -> rx.Component:
    return rx.el.li(
        rx.el.span(place.name, class_name="fact-name"),
        rx.el.span("id ", place.id, class_name="figure"),
        rx.el.span(rx.cond(place.path != "", place.path, place.address), class_name="fact-detail place"),
        rx.cond(
            Choices.asking == place.id,
            sure(
                "Take it off the list? Its folder stays.",
                yes=Choices.remove(place.id),
                no=Choices.ask_to_remove(0),
            ),
            button("Remove", kind="quiet", on_click=Choices.ask_to_remove(place.id), aria_label="Remove " + place.name),
        ),
        class_name="fact",
        key=place.id.to_string(),
    )
