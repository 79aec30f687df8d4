"""The documented patterns: importable under their documented names, and runnable as programs."""
