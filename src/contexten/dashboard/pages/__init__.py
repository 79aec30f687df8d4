"""What the pages look like: each takes its words from a state, and does nothing itself."""
