"""All that the server offers: each tool by its name. Those that the official server has keep the names that they have there."""

from __future__ import annotations

from contexten.mcp.tool import Tool
from contexten.mcp.tools import code, people, repositories, runs

TOOLS = {
    tool.name: tool
    for tool in (
        Tool("create_agent_run", runs.Create, runs.create, reads=False),
        Tool("get_agent_run", runs.Get, runs.get),
        Tool("list_agent_runs", runs.List, runs.list_runs),
        Tool("search_agent_runs", runs.Search, runs.search),
        Tool("resume_agent_run", runs.Resume, runs.resume, reads=False),
        Tool("cancel_agent_run", runs.Cancel, runs.cancel, reads=False, destroys=True),
        Tool("get_agent_run_logs", runs.Logs, runs.logs),
        Tool("get_agent_run_diff", runs.Diff, runs.diff),
        Tool("code_overview", code.Overview, code.overview),
        Tool("code_symbol", code.Symbol, code.symbol),
        Tool("code_references", code.References, code.references),
        Tool("code_callers", code.Callers, code.callers),
        Tool("code_similar", code.Similar, code.similar),
        Tool("code_context", code.Context, code.context),
        Tool("list_repositories", repositories.List, repositories.list_repositories),
        Tool("list_engines", repositories.Engines, repositories.list_engines),
        Tool("get_organizations", people.Organizations, people.get_organizations),
        Tool("get_users", people.Users, people.get_users),
        Tool("get_user", people.User, people.get_user),
    )
}
