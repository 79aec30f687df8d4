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
    from contexten.codebase import (
        get_class_summary,
        get_codebase_summary,
        get_file_summary,
        get_function_summary,
        get_symbol_summary,
    )

    shown = [get_codebase_summary(codebase), get_file_summary(next(file for file in codebase.files if file.functions))]
    shown.append(get_class_summary(next(iter(codebase.classes))))
    shown.append(get_function_summary(next(iter(codebase.functions))))
    shown.extend(get_symbol_summary(each) for each in list(codebase.symbols)[:50])
    assert all(each and each.data for each in shown)
    figures["summaries"] = len(shown)
print("FIGURES " + json.dumps(figures))
