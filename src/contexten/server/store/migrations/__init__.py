"""Alembic's folder: one file per change of the tables. Applied migrations are never edited."""
