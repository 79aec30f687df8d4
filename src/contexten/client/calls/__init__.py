"""Every request of the API, described once as data: both twins of the client send these."""
