"""Generating: the generator, what it puts into prompts, what it keeps, and how calls are repeated."""
