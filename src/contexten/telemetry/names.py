"""Every name under which something is observed, in one place.

Spans, attributes and `gen_ai_*` metrics follow the OpenTelemetry conventions for generative AI (status: development, so
they may change: only here). `contexten_*` metrics are ours; `agent_*` are the names that the project's documents promise.
No metric carries a run id: labels stay few.
"""

from __future__ import annotations

# Span names: the first word; the agent, tool or model follows after a space.
INVOKE_WORKFLOW = "invoke_workflow"
INVOKE_AGENT = "invoke_agent"
EXECUTE_TOOL = "execute_tool"
CHAT = "chat"

# Span attributes.
OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
AGENT = "gen_ai.agent.name"
MODEL = "gen_ai.request.model"
CONVERSATION = "gen_ai.conversation.id"
WORKFLOW = "gen_ai.workflow.name"
TOOL = "gen_ai.tool.name"
TOOL_CALL = "gen_ai.tool.call.id"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS = "gen_ai.usage.cache_write.input_tokens"
ERROR_TYPE = "error.type"

# Metrics, as Prometheus prints them.
TOKEN_USAGE = "gen_ai_client_token_usage"  # noqa: S105 - a metric's name
OPERATION_SECONDS = "gen_ai_client_operation_duration_seconds"
INVOKE_AGENT_SECONDS = "gen_ai_invoke_agent_duration_seconds"
EXECUTE_TOOL_SECONDS = "gen_ai_execute_tool_duration_seconds"
INVOKE_WORKFLOW_SECONDS = "gen_ai_invoke_workflow_duration_seconds"
RUNS = "contexten_runs_total"
RUNS_ACTIVE = "contexten_runs_active"
RUN_COST = "contexten_run_cost_usd_total"
RETRIES = "contexten_retries_total"
BREAKER_STATE = "contexten_breaker_state"
CACHE_REQUESTS = "contexten_cache_requests_total"
QUEUE_DEPTH = "contexten_queue_depth"
READY = "contexten_ready"
AGENT_REQUESTS = "agent_requests_total"
AGENT_ERROR_RATE = "agent_error_rate"
AGENT_SECONDS = "agent_execution_time_histogram"

# Histogram buckets, in seconds; tokens for TOKEN_USAGE.
AGENT_BUCKETS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6)
TOOL_BUCKETS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
WORKFLOW_BUCKETS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0)
TOKEN_BUCKETS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304)
