"""Workflows in the server: taken in, kept in the store, and advanced by whichever worker is first."""
