"""The server: the Codegen REST API over a store, a durable queue and live streams."""
