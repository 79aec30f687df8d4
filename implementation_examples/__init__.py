"""Doors that keep documented import paths working; each file hands over to a room of `contexten`."""
