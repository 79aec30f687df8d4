"""Extensions of Contexten by name: what a program registers, and what installed packages offer.

This package is itself what `register_with_contexten` may be given: it has `register_extension`.
"""

from __future__ import annotations

from contexten.extensions.registry import GROUP, ExtensionRegistry

__all__ = [
    "GROUP",
    "ExtensionRegistry",
    "extension_names",
    "extension_problems",
    "get_extension",
    "load_extensions",
    "register_extension",
    "registry",
    "unregister_extension",
]

registry = ExtensionRegistry()
"""The process's own."""

register_extension = registry.register_extension
unregister_extension = registry.unregister_extension
get_extension = registry.get_extension
extension_names = registry.names
load_extensions = registry.load
extension_problems = registry.problems
