"""What a model is told: templates in a sandbox, filled with the request and what is known of the codebase."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contexten.autogenlib.context import CodebaseContext
from contexten.autogenlib.request import CallerContext
from contexten.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import jinja2

_OWN = Path(__file__).with_name("templates")
_LONGEST_SOURCE = 20_000
_UNSAID: dict[str, Any] = {
    "module": "generated", "names": (), "base_request": "", "task": "", "facts": "", "existing": "", "caller": "", "caller_usage": "",
    "allow": (), "dependencies": (), "modules": (), "existing_symbols": (), "imports": (), "caller_symbols": (),
    "usage_patterns": (), "similar_functions": (), "architectural_patterns": (), "coding_standards": (), "codebase_text": "",
}  # fmt: skip
"""What a template may speak of, as it is when nothing is said."""


class TemplateManager:
    """Templates of prompts by name.

    Args:
        folder: templates of one's own, `NAME.j2`, instead of those of the same name.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self._folders = [*([Path(folder)] if folder is not None else []), _OWN]

    def get_template(self, name: str) -> jinja2.Template:
        """A template, compiled in a sandbox.

        Raises:
            UsageError: there is none of that name, or it cannot be understood.
        """
        import jinja2

        try:
            return self._environment.get_template(f"{name}.j2")
        except jinja2.TemplateNotFound:
            known = sorted({path.stem for folder in self._folders for path in folder.glob("*.j2")})
            raise UsageError(f"There is no template {name!r}. Those there are: {', '.join(known)}.") from None
        except jinja2.TemplateSyntaxError as error:
            raise UsageError(
                f"The template {name} cannot be understood: line {error.lineno}: {error.message}."
            ) from error

    def fingerprint(self) -> str:
        """Changes whenever a template does."""
        import hashlib

        texts = [path.read_bytes() for folder in self._folders for path in sorted(folder.glob("*.j2"))]
        return hashlib.sha256(b"\0".join(texts)).hexdigest()[:16]

    @cached_property
    def _environment(self) -> jinja2.Environment:
        import jinja2
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(
            loader=jinja2.FileSystemLoader(self._folders),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,
        )
        environment.filters["fenced"] = _fenced
        environment.globals.update(_UNSAID)
        return environment


class PromptEnhancer:
    """Makes prompts.

    Args:
        template_manager: where their templates come from.
    """

    def __init__(self, template_manager: TemplateManager | None = None) -> None:
        self.template_manager = template_manager or TemplateManager()

    def enhance_prompt(
        self,
        base_prompt: str = "",
        codebase_context: CodebaseContext | None = None,
        caller_context: CallerContext | None = None,
        **more: Any,
    ) -> str:
        """A prompt for new code.

        Args:
            base_prompt: what it is for, in a person's words.
            codebase_context: what is known of the codebase.
            caller_context: who asks.
            more: of the request `module`, `names`, `task`, `facts`, `existing`, `allow`, `dependencies`, `modules`, and
                `coding_standards`.
        """
        caller, context = caller_context or CallerContext(), codebase_context or CodebaseContext()
        return self.template_manager.get_template("function_generation").render(
            {
                "base_request": base_prompt,
                "caller_usage": caller.usage_example,
                "caller": caller.file_path,
                "caller_symbols": context.caller_symbols,
                "existing_symbols": context.existing_symbols,
                "imports": context.imports,
                "usage_patterns": context.usage_patterns,
                "similar_functions": context.related_functions,
                "architectural_patterns": context.patterns,
                "codebase_text": context.text,
                **more,
                "existing": str(more.get("existing", ""))[:_LONGEST_SOURCE],
            }
        )

    def repair_prompt(self, reasons: Sequence[str]) -> str:
        """What to say after an answer that cannot be used."""
        return self.template_manager.get_template("repair").render(reasons=list(reasons))


def _fenced(text: str) -> str:
    """A text between fences that it cannot end."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text.rstrip()}\n{fence}"
