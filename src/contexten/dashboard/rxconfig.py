"""What Reflex builds and serves. It is read from the current folder, so Reflex runs in this one."""

import reflex as rx
from reflex.plugins import SitemapPlugin

from contexten.dashboard.hosting.same_origin import SameOrigin

config = rx.Config(
    app_name="contexten_dashboard",
    app_module_import="contexten.dashboard.app",
    backend_path="/_dashboard",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    default_color_mode="system",
    cors_allowed_origins=[],
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    plugins=[SameOrigin()],
    disable_plugins=[SitemapPlugin],
)
