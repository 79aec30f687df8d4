"""A small shop, for the tests and for the transcript in the README."""
