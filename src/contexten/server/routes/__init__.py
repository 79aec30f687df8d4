"""The routes, one file per noun."""

from contexten.server.routes import (
    claude_code,
    health,
    hosted,
    integrations,
    live,
    logs,
    metrics,
    organizations,
    people,
    repos,
    runs,
    setup_commands,
    tokens,
)

ROUTERS = (
    runs.router,
    runs.with_images,
    logs.router,
    live.router,
    people.router,
    organizations.router,
    organizations.admin,
    tokens.router,
    repos.router,
    repos.admin,
    integrations.router,
    setup_commands.router,
    claude_code.router,
    claude_code.with_images,
    hosted.router,
    health.router,
    health.open_router,
    metrics.router,
)
