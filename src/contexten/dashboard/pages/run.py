"""The page of one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import reflex as rx

from contexten.dashboard.pages.parts import (
    announced,
    button,
    copy,
    fact,
    moment,
    one,
    problem,
    status,
    sure,
    wrong,
)
from contexten.dashboard.pages.shell import shell
from contexten.dashboard.run import Run

if TYPE_CHECKING:
    from contexten.dashboard.entries import Row
    from contexten.dashboard.patches import Patch


def run_page() -> rx.Component:
    """A run: what was asked, its log or its changes, and what to say next."""
    return shell(
        "Runs",
        one(Run, _run(), back="Show all runs", to="/"),
        wide=True,
    )


def _run() -> rx.Component:
    return rx.el.div(
        _head(),
        problem(Run.problem),
        announced(Run.announced),
        rx.cond(Run.tab == "log", _log(), _changes()),
        _next(),
        class_name="run",
    )


def _head() -> rx.Component:
    card = Run.card
    return rx.el.header(
        rx.el.div(
            rx.el.h1("Run ", card.id),
            status(card.word, card.tone),
            rx.cond(card.turn > 1, rx.el.span("turn ", card.turn, class_name="figure")),
            rx.cond(~card.ended & (card.started != ""), moment(card.started, "elapsed")),
            rx.cond(
                Run.asking,
                sure("Delete this run with its log?", yes=Run.delete, no=Run.ask_to_delete(False)),
                _actions(),
            ),
            class_name="line head-line",
        ),
        rx.el.p(
            rx.cond(Run.whole_prompt != "", Run.whole_prompt, Run.prompt),
            class_name="asked",
            tab_index=0,
            aria_label="What was asked",
        ),
        rx.cond(
            Run.prompt_folds,
            button(
                rx.cond(Run.whole_prompt != "", "Show less", "Show all of the prompt"),
                kind="quiet",
                on_click=Run.unfold_prompt,
            ),
        ),
        rx.el.div(
            *[fact(text) for text in (card.worker, card.repository, card.took, card.figures, Run.tokens)],
            moment(card.created),
            class_name="line details",
        ),
        rx.cond(Run.changed != "", _tabs()),
        class_name="run-head",
    )


def _actions() -> rx.Component:
    return rx.el.div(
        button("Copy link", kind="quiet", custom_attrs={"data-copy": "", "data-copy-here": "true"}),
        rx.cond(
            Run.card.address != "",
            rx.el.a(
                "Open ↗", href=Run.card.address, target="_blank", rel="noopener noreferrer", class_name="button quiet"
            ),
        ),
        rx.cond(
            Run.card.ended,
            button("Delete", kind="quiet", on_click=Run.ask_to_delete(True)),
            button("Cancel", on_click=Run.cancel),
        ),
        class_name="actions",
    )


def _tabs() -> rx.Component:
    def tab(name: str, *words: Any) -> rx.Component:
        return button(
            *words,
            kind="tab",
            on_click=Run.show(name),
            custom_attrs={"aria-pressed": rx.cond(Run.tab == name, "true", "false")},
        )

    return rx.el.div(
        tab("log", "Log"),
        tab("changes", "Changes · ", Run.changed),
        role="group",
        aria_label="What to show",
        class_name="tabs",
    )


def _log() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.cond(Run.first > 0, button("Earlier entries (", Run.first, ")", on_click=Run.earlier, kind="more")),
            rx.el.ol(rx.foreach(Run.rows, _row), class_name="rows"),
            rx.cond(
                Run.rows.length() == 0,
                rx.el.p("Nothing has been said yet.", class_name="loading"),
            ),
            rx.cond(
                ~Run.following & (Run.behind > 0),
                button("Later entries (", Run.behind, ")", on_click=Run.later, kind="more", id="later"),
            ),
            id="log",
            class_name="log",
            tab_index=0,
            role="log",
            aria_label="Log",
            aria_live="off",
            custom_attrs={"data-follow": rx.cond(Run.following, "true", "false")},
        ),
        rx.cond(
            ~Run.following,
            button(
                rx.cond(Run.behind > 0, "↓ " + Run.behind.to_string() + " newer", "↓ To the end"),
                on_click=Run.follow,
                kind="newest",
            ),
        ),
        rx.el.button(id="log-hold", on_click=Run.hold, hidden=True, type="button", tab_index=-1),
        rx.el.button(id="log-follow", on_click=Run.follow, hidden=True, type="button", tab_index=-1),
        class_name="log-frame",
    )


def _row(row: rx.vars.ObjectVar[Row]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(row.label, class_name="row-label"),
            rx.el.time(date_time=row.moment, custom_attrs={"data-kind": "clock"}, class_name="row-time"),
            class_name="row-side",
        ),
        rx.el.div(
            rx.cond(
                row.html != "",
                rx.html(row.html, class_name="prose"),
                rx.el.div(rx.cond(row.full != "", row.full, row.text), class_name="row-text"),
            ),
            rx.cond(row.given != "", _part("Input", row.given)),
            rx.cond(row.said != "", _part("Output", row.said)),
            class_name="row-body",
        ),
        rx.cond(
            row.folds,
            button(
                rx.cond(row.is_open, "Less", "More"),
                kind="fold",
                on_click=Run.toggle(row.position),
                custom_attrs={"aria-expanded": rx.cond(row.is_open, "true", "false")},
                aria_label=rx.cond(row.is_open, "Less of ", "More of ") + row.label,
            ),
        ),
        class_name=f"row {row.kind}",
        key=row.position.to_string(),
        custom_attrs={"data-position": row.position},
    )


def _part(name: str, text: Any) -> rx.Component:
    return rx.el.figure(
        rx.el.figcaption(name, class_name="label"),
        rx.el.pre(text, tab_index=0, class_name="part"),
        class_name="part-frame",
    )


def _changes() -> rx.Component:
    number = Run.card.id.to_string()
    return rx.el.section(
        rx.el.div(
            rx.el.span("Take them over: ", rx.el.code("contexten runs apply " + number)),
            copy("Copy", "contexten runs apply " + number),
            rx.el.span("Only the patch: ", rx.el.code("contexten runs diff " + number)),
            class_name="line apply",
        ),
        rx.cond(Run.omitted, rx.el.p("Some changes are too large to be in the patch.", class_name="note")),
        rx.el.ol(rx.foreach(Run.files, _file), class_name="files"),
        class_name="changes",
        aria_label="Changes",
        tab_index=0,
    )


def _file(file: rx.vars.ObjectVar[Patch]) -> rx.Component:
    return rx.el.li(
        button(
            rx.el.span(file.name, class_name="file-name"),
            rx.el.span(file.what, class_name="figure"),
            rx.el.span(file.figures, class_name="figure"),
            kind="file-head",
            on_click=Run.toggle_file(file.number),
            custom_attrs={"aria-expanded": rx.cond(file.is_open, "true", "false")},
        ),
        rx.cond(file.is_open & (file.html != ""), rx.html(file.html, class_name="diff")),
        rx.cond(file.rest != "", rx.el.p(file.rest, class_name="note")),
        class_name="file",
        key=file.number.to_string(),
    )


def _next() -> rx.Component:
    return rx.el.form(
        rx.el.label("What next?", html_for="next", class_name="unseen"),
        rx.el.textarea(
            id="next",
            name="next",
            rows="1",
            placeholder=rx.cond(
                Run.card.ended, "Say what to do next…", "The run goes on. Say what to do next when it has ended."
            ),
            class_name="input",
            disabled=~Run.card.ended,
            aria_describedby="next-wrong",
            custom_attrs={"data-send": "true", "autocomplete": "off"},
        ),
        rx.el.button(
            rx.cond(Run.busy, "Sending…", "Resume"),
            type="submit",
            class_name="button main",
            disabled=~Run.card.ended | Run.busy,
        ),
        wrong("next", Run.wrong),
        on_submit=Run.resume,
        class_name="next",
        aria_label="Resume the run",
    )
