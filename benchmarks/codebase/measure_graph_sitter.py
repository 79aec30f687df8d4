"""Index a git repository with graph-sitter and print what it took; runs in an environment of graph-sitter's own."""

from __future__ import annotations

import json
import resource
import sys
import time

started = time.perf_counter()
from graph_sitter import Codebase  # noqa: E402 - the import is part of what is measured

imported = time.perf_counter()
codebase = Codebase(sys.argv[1])
ready = time.perf_counter()
figures = {
    "import": imported - started,
    "index": ready - imported,
    "cpu": time.process_time(),
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "files": len(list(codebase.files)),
    "functions": len(list(codebase.functions)),
    "classes": len(list(codebase.classes)),
    "edges": len(codebase.ctx.edges),
}
if len(sys.argv) > 2:
    sys.path.insert(0, sys.argv[2])
    from contexten.codebase import get_file_summary, get_function_summary

    path = next(file.filepath for file in codebase.files if file.functions)
    figures["summary_of_file"] = len(get_file_summary(codebase.get_file(path)))
    figures["summary_of_function"] = len(get_function_summary(codebase.get_file(path).functions[0]))
print("FIGURES " + json.dumps(figures))
