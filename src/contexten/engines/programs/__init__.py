"""What the engines that drive an installed coding agent share: finding it, running it, and reading what it says.

`installed` finds the program without starting it. `process` runs it below a `supervisor` that leaves nothing behind, and
reads its stream of JSON with `lines`. What the stream means is told by one reader for each program, `claude_stream` and
`codex_stream`, in the words of `stream`. `engine` puts the parts together into a run.
"""
