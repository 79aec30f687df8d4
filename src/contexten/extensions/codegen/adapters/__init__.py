"""What the integration speaks to: agents of a server, and generated code."""
