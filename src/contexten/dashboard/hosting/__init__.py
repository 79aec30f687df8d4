"""How the pages are built and served: the bundle, the door before them, and the Reflex app behind it."""
