"""What the overlay adds to the `codegen` package: events, metrics, health and callbacks. Nothing else is needed to run it."""

from __future__ import annotations
