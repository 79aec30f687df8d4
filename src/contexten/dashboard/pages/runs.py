"""The page of all runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import reflex as rx

from contexten.dashboard.choices import Choices, Engine, Place
from contexten.dashboard.pages.parts import (
    announced,
    button,
    empty,
    fact,
    link,
    loading,
    moment,
    problem,
    status,
    sure,
    wrong,
)
from contexten.dashboard.pages.shell import shell
from contexten.dashboard.runs import Runs
from contexten.dashboard.starting import Starting

if TYPE_CHECKING:
    from contexten.dashboard.cards import Card

_GROUPS = (("All", ""), ("Going on", "going"), ("Complete", "complete"), ("Failed", "failed"), ("Stopped", "stopped"))


def runs_page() -> rx.Component:
    """Runs, and the box that starts one."""
    return shell(
        "Runs",
        rx.el.h1("Runs", class_name="unseen"),
        _box(),
        _filters(),
        problem(Runs.problem),
        announced(Runs.told),
        rx.cond(Runs.loaded, _list(), rx.cond(Runs.problem == "", loading())),
    )


def _box() -> rx.Component:
    return rx.el.form(
        rx.el.label("What is to be done?", html_for="prompt", class_name="label"),
        rx.el.textarea(
            id="prompt",
            name="prompt",
            rows="2",
            placeholder="Who calls refund_order, and is it retried?",
            class_name="input prompt",
            aria_describedby="prompt-wrong",
            aria_invalid=Starting.wrong.contains("prompt"),
            custom_attrs={"data-send": "true", "autocomplete": "off"},
        ),
        wrong("prompt", Starting.wrong["prompt"]),
        rx.el.div(
            _field(
                "engine",
                "Engine",
                rx.el.select(
                    rx.el.option("The server's default", value=""),
                    rx.foreach(Choices.engines, _engine),
                    id="engine",
                    name="engine",
                    on_change=Starting.choose_engine,
                    class_name="select",
                    aria_describedby="engine-wrong engine-note",
                ),
            ),
            _field(
                "model",
                "Model",
                rx.el.input(
                    id="model",
                    name="model",
                    placeholder="The engine's default",
                    class_name="input",
                    auto_complete="off",
                    spell_check=False,
                    aria_describedby="model-wrong",
                ),
            ),
            _field(
                "repo_id",
                "Repository",
                rx.el.select(
                    rx.el.option("The server's default", value=""),
                    rx.foreach(Choices.repositories, _repository),
                    id="repo_id",
                    name="repo_id",
                    class_name="select",
                    aria_describedby="repo_id-wrong",
                ),
            ),
            rx.el.button(
                rx.cond(Starting.busy, "Starting…", "Start"),
                type="submit",
                class_name="button main",
                disabled=Starting.busy,
            ),
            class_name="fields",
        ),
        rx.cond(
            Starting.engine_note != "",
            rx.el.p(Starting.engine, " is not ready: ", Starting.engine_note, id="engine-note", class_name="note"),
        ),
        problem(Starting.problem),
        on_submit=Starting.start,
        class_name="panel box",
        aria_label="Start a run",
    )


def _field(name: str, label: str, control: rx.Component) -> rx.Component:
    return rx.el.div(
        rx.el.label(label, html_for=name, class_name="label"),
        control,
        wrong(name, Starting.wrong[name]),
        class_name="field",
    )


def _engine(engine: rx.vars.ObjectVar[Engine]) -> rx.Component:
    return rx.el.option(engine.label, value=engine.name)


def _repository(place: rx.vars.ObjectVar[Place]) -> rx.Component:
    return rx.el.option(place.name, value=place.id.to_string())


def _filters() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            *[
                button(
                    text,
                    kind="chip",
                    on_click=Runs.look_for_status(group),
                    custom_attrs={"aria-pressed": rx.cond(Runs.status == group, "true", "false")},
                )
                for text, group in _GROUPS
            ],
            role="group",
            aria_label="Status",
            class_name="chips",
        ),
        rx.el.label(
            rx.el.span("Engine", class_name="unseen"),
            rx.el.select(
                rx.el.option("Every engine", value=""),
                rx.foreach(Choices.engines, lambda engine: rx.el.option(engine.name, value=engine.name)),
                value=Runs.engine,
                on_change=Runs.look_for_engine,
                class_name="select",
                id="filter-engine",
            ),
        ),
        rx.el.label(
            rx.el.span("Find runs", class_name="unseen"),
            rx.el.input(
                type="search",
                placeholder="Find in prompts, answers and logs  ( / )",
                default_value=Runs.text,
                key=Runs.loaded.to_string(),
                on_change=Runs.look_for_text.debounce(350),
                class_name="input search",
                id="search",
            ),
            class_name="searching",
        ),
        role="search",
        class_name="filters",
    )


def _list() -> rx.Component:
    return rx.cond(
        Runs.cards.length() > 0,
        rx.fragment(
            rx.el.ol(rx.foreach(Runs.cards, _card), class_name="cards", aria_label="Runs"),
            rx.el.nav(
                rx.cond(Runs.newer != "", link("← Newer", to=Runs.newer, class_name="button", id="newer")),
                rx.el.span(Runs.range_words, class_name="figure"),
                rx.cond(Runs.older != "", link("Older →", to=Runs.older, class_name="button", id="older")),
                aria_label="Parts of the list",
                class_name="turning",
            ),
        ),
        rx.cond(
            Runs.chosen | ~Runs.first_page,
            empty("No run is like that.", link("Show all runs", to="/", class_name="button")),
            empty(
                "No runs yet.",
                rx.el.p(
                    "Say above what is to be done, or in a terminal: ",
                    rx.el.code('contexten run "Give me an overview"'),
                ),
            ),
        ),
    )


def _card(run: rx.vars.ObjectVar[Card]) -> rx.Component:
    return rx.el.li(
        rx.el.article(
            rx.el.div(
                status(run.word, run.tone),
                rx.el.span("Run ", run.id, class_name="figure"),
                rx.cond(run.turn > 1, rx.el.span("turn ", run.turn, class_name="figure")),
                rx.cond(
                    ~run.ended & (run.started != ""),
                    moment(run.started, "elapsed"),
                ),
                rx.cond(run.took != "", rx.el.span(run.took, class_name="figure")),
                moment(run.created),
                class_name="line",
            ),
            link(run.prompt, to="/runs/" + run.id.to_string(), class_name="card-title"),
            rx.el.div(
                rx.el.div(
                    fact(run.worker),
                    fact(run.repository),
                    fact(run.figures),
                    class_name="line details",
                ),
                rx.cond(
                    Runs.asking == run.id,
                    sure(
                        "Delete run " + run.id.to_string() + " with its log?",
                        yes=Runs.delete(run.id),
                        no=Runs.ask_to_delete(0),
                    ),
                    _actions(run),
                ),
                class_name="foot",
            ),
            class_name="card",
            aria_label="Run " + run.id.to_string() + ", " + run.word,
        ),
        key=run.id.to_string(),
    )


def _actions(run: rx.vars.ObjectVar[Card]) -> rx.Component:
    here = "/runs/" + run.id.to_string()
    return rx.el.div(
        link("Log", to=here, class_name="button quiet", aria_label="Log of run " + run.id.to_string()),
        rx.cond(
            run.ended,
            rx.fragment(
                link(
                    "Resume",
                    to=here + "#next",
                    class_name="button quiet",
                    aria_label="Resume run " + run.id.to_string(),
                ),
                button(
                    "Delete",
                    kind="quiet",
                    on_click=Runs.ask_to_delete(run.id),
                    aria_label="Delete run " + run.id.to_string(),
                ),
            ),
            button("Cancel", kind="quiet", on_click=Runs.cancel(run.id), aria_label="Cancel run " + run.id.to_string()),
        ),
        rx.cond(
            run.address != "",
            rx.el.a("Open ↗", href=run.address, target="_blank", rel="noopener noreferrer", class_name="button quiet"),
        ),
        class_name="actions",
    )
