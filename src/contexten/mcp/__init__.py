"""The way in for other agents: runs and the code index as tools of the Model Context Protocol (MCP).

`server` speaks the protocol, over whatever it is given to speak through; `tools` is all that it offers; `access` is what a
caller may reach: a client of one server, and the folders whose code may be read. The package `mcp` is imported when the
first message is about to come, and not before.
"""

from contexten.mcp.access import Access
from contexten.mcp.server import mcp_server

__all__ = ["Access", "mcp_server"]
