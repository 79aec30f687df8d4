"""What every page has around its content."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.core.banner import has_connection_errors


def connection_note() -> rx.Component:
    """Says that the page has lost its server, for as long as it has."""
    return rx.el.div(
        rx.cond(has_connection_errors, rx.el.p("The connection to the server is lost. It is tried again by itself.")),
        role="status",
        aria_live="polite",
        class_name="connection",
    )
