"""The marked block at the end of `codegen/agents/agent.py`: all that the overlay changes in the package's own files."""

from __future__ import annotations

_BEGIN = b"# >>> contexten overlay >>>"
_GAP = 2
_UNENDED = b"# The original does not end in a line ending.\n"

_TEXT = b"""\
# >>> contexten overlay >>>
# Added by `contexten overlay apply`; `contexten overlay revert` takes it away. The original is agent.py.original.
try:
    from codegen.contexten.integration import instrument as _contexten_instrument
except Exception as _contexten_error:
    __import__("logging").getLogger("codegen.contexten").warning(
        "the contexten overlay cannot be loaded (%s); see: contexten overlay status", _contexten_error
    )
else:
    _contexten_instrument(Agent, AgentTask)
    del _contexten_instrument
# <<< contexten overlay <<<
"""


def enhanced(original: bytes) -> bytes:
    """The file with the block at its end, in the file's own line endings."""
    newline = b"\r\n" if b"\r\n" in original else b"\n"
    unended = not original.endswith(b"\n")
    text = _TEXT.replace(b"\n", b"\n" + _UNENDED, 1) if unended else _TEXT
    return original + (b"\n" * (_GAP + unended) + text).replace(b"\n", newline)


def has_block(source: bytes) -> bool:
    """Whether the file carries a block of ours, changed or not."""
    return _BEGIN in source


def without_block(source: bytes) -> bytes | None:
    """The file as it was before `enhanced`; None when the block is not at the end as it was written."""
    before, found, _ = source.partition(_BEGIN)
    newline = b"\r\n" if before.endswith(b"\r\n") else b"\n"
    for unended in (False, True):
        original = before.removesuffix(newline * (_GAP + unended))
        if found and enhanced(original) == source:
            return original
    return None
