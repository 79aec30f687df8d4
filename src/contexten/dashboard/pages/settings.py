"""The page of settings."""

from __future__ import annotations

from typing import Any

import reflex as rx

from contexten.dashboard.envfile import ADDRESS, ORGANIZATION, TOKEN
from contexten.dashboard.pages.parts import colours, problem, told, wrong
from contexten.dashboard.pages.shell import shell
from contexten.dashboard.preferences import Preferences
from contexten.dashboard.visit import Visit


def settings_page() -> rx.Component:
    """Who is signed in, and with what."""
    return shell(
        "Settings",
        rx.el.h1("Settings"),
        _who(),
        _look(),
        rx.cond(Visit.standalone, _form()),
        always=rx.cond(Visit.standalone & (Visit.phase == "signed_out"), _form()),
    )


def _who() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Signed in"),
        rx.el.dl(
            *_fact("Name", Visit.who),
            *_fact("Role", Visit.role),
            *_fact("Organization", Visit.organization),
            *_fact("Server", Visit.server),
            class_name="pairs",
        ),
        rx.cond(
            ~Visit.standalone,
            rx.el.form(
                rx.el.button("Sign out", type="submit", class_name="button"),
                action="/sign-out",
                method="post",
                on_submit=None,  # the browser sends it: Reflex keeps forms from being sent otherwise
            ),
        ),
        class_name="panel",
    )


def _look() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Colours"), rx.el.label("This browser shows ", colours("colours-here")), class_name="panel"
    )


def _fact(name: str, value: Any) -> tuple[rx.Component, rx.Component]:
    return rx.el.dt(name), rx.el.dd(rx.cond(value != "", value, "not known"))


def _form() -> rx.Component:
    return rx.el.form(
        rx.el.h2("Connection"),
        rx.el.p("Kept in ", rx.el.code(Preferences.folder + "/.env"), ", which only you can read.", class_name="hint"),
        rx.cond(
            Preferences.overruled.length() > 0,
            rx.el.p(
                "The shell has these, and it wins over the file: ",
                rx.el.code(Preferences.overruled.join(", ")),
                class_name="note",
            ),
        ),
        _field(
            TOKEN,
            "Token",
            rx.cond(
                Preferences.has_token,
                "Leave it empty to keep the one there is.",
                "Without one, the local server's is used.",
            ),
            id="token",
            type="password",
            auto_complete="off",
        ),
        _field(
            ORGANIZATION,
            "Organization",
            "Leave it empty for the one that the token belongs to.",
            id="organization",
            default_value=Preferences.organization,
            input_mode="numeric",
        ),
        _field(
            ADDRESS,
            "Server",
            "Leave it empty for the local server.",
            id="address",
            default_value=Preferences.address,
            placeholder="http://127.0.0.1:8000",
        ),
        rx.el.button(
            rx.cond(Preferences.busy, "Trying…", "Save settings"),
            type="submit",
            class_name="button main",
            disabled=Preferences.busy,
        ),
        problem(Preferences.problem),
        told(Preferences.told),
        on_submit=Preferences.save,
        class_name="panel settings",
        aria_label="Connection",
        key=Preferences.loaded.to_string(),
    )


def _field(setting: str, label: str, hint: Any, **props: Any) -> rx.Component:
    return rx.el.div(
        rx.el.label(label, html_for=props["id"], class_name="label"),
        rx.el.input(
            name=setting,
            on_change=lambda value: Preferences.check(setting, value).debounce(250),
            class_name="input",
            spell_check=False,
            aria_describedby=f"{props['id']}-wrong {props['id']}-hint",
            **props,
        ),
        wrong(props["id"], Preferences.wrong[setting]),
        rx.el.p(hint, id=f"{props['id']}-hint", class_name="hint"),
        class_name="field",
    )
