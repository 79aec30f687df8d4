"""What is observed: events, metrics and health in the standard library; exporters load when they are used."""
