"""Figures of requests, and the checks of what a caller gives."""
