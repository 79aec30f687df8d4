"""The gate for generated code: what it may import, name and do while it is imported. What is not known to be fine is refused.

It reads code and does not run it. It keeps a model's mistakes and crude attacks out; it is no sandbox: whoever wants to hide
something from a reader of Python can. Generated code is committed, and read, like any other.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import re
import sys
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from contexten.autogenlib.answer import LARGEST, AnswerError, defined, parsed
from contexten.autogenlib.signatures import misfit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

VERSION = "1"
REFUSED_MODULES = frozenset({
    "__main__", "antigravity", "atexit", "autogenlib", "bdb", "builtins", "cProfile", "cgi", "code", "codeop", "compileall",
    "contexten", "ctypes", "dbm", "distutils", "doctest", "ensurepip", "faulthandler", "fcntl", "ftplib", "gc", "idlelib",
    "imaplib", "imp", "lib2to3", "marshal", "mmap", "modulefinder", "msvcrt", "multiprocessing", "nntplib", "nt", "pdb",
    "pickle", "pickletools", "pip", "pkgutil", "poplib", "posix", "profile", "pty", "py_compile", "pydoc", "resource",
    "rlcompleter", "runpy", "select", "selectors", "setuptools", "shelve", "signal", "site", "smtplib", "socket",
    "socketserver", "ssl", "subprocess", "sysconfig", "syslog", "telnetlib", "termios", "timeit", "tkinter", "trace", "tty",
    "turtle", "unittest", "venv", "webbrowser", "winreg", "wsgiref", "xmlrpc", "zipapp", "zipimport",
})  # fmt: skip
"""Of the standard library (and ours): those that reach processes, the network, memory or the interpreter itself."""
PARTS = {
    "asyncio": {
        "CancelledError", "Condition", "Event", "Future", "Lock", "Queue", "Semaphore", "Task", "TaskGroup", "TimeoutError",
        "create_task", "current_task", "gather", "get_running_loop", "run", "shield", "sleep", "timeout", "to_thread", "wait",
        "wait_for", "as_completed", "iscoroutinefunction", "PriorityQueue", "BoundedSemaphore", "QueueEmpty", "QueueFull",
    },
    "concurrent": {"futures"},
    "http": {"HTTPStatus", "HTTPMethod", "cookies"},
    "importlib": {"metadata", "resources"},
    "inspect": {"signature", "getdoc", "isfunction", "isclass", "iscoroutinefunction", "Parameter", "Signature", "cleandoc"},
    "logging": {
        "CRITICAL", "DEBUG", "ERROR", "INFO", "WARNING", "Logger", "LoggerAdapter", "getLevelName", "getLogger", "NullHandler",
        "Formatter", "Handler", "LogRecord", "StreamHandler",
    },
    "os": {
        "PathLike", "environ", "fsdecode", "fsencode", "fspath", "getcwd", "getenv", "linesep", "listdir", "path", "scandir",
        "sep", "stat", "urandom", "walk", "cpu_count", "pathsep", "DirEntry",
    },
    "operator": {
        "add", "and_", "attrgetter", "contains", "eq", "floordiv", "ge", "getitem", "gt", "index", "inv", "invert", "is_",
        "is_not", "itemgetter", "le", "lshift", "lt", "matmul", "mod", "mul", "ne", "neg", "not_", "or_", "pos", "pow",
        "rshift", "sub", "truediv", "truth", "xor", "concat", "countOf", "indexOf", "length_hint",
    },
    "shutil": {"copyfileobj", "disk_usage", "get_terminal_size", "which"},
    "sys": {
        "byteorder", "float_info", "getsizeof", "hash_info", "int_info", "intern", "maxsize", "maxunicode", "platform",
        "stderr", "stdin", "stdout", "version_info",
    },
    "urllib": {"parse", "error"},
}  # fmt: skip
"""Modules of which only these parts are let through."""
REFUSED_NAMES = frozenset({
    "__builtins__", "__import__", "__loader__", "__spec__", "breakpoint", "compile", "delattr", "eval", "exec", "exit",
    "globals", "input", "locals", "quit", "setattr", "vars",
})  # fmt: skip
CORE = frozenset({"builtins", "ctypes", "importlib", "os", "posix", "socket", "subprocess", "sys"})
"""Names of modules that are not reached as a part of anything."""
EFFECTS = frozenset({"open", "print"})
"""Builtins that are not called while the module is imported."""
EFFECTS_OF_OBJECTS = frozenset({
    "chmod", "connect", "execute", "executescript", "extractall", "hardlink_to", "kill", "mkdir", "mkstemp", "open", "rename",
    "rmdir", "run", "send", "sendall", "sleep", "start", "submit", "symlink_to", "terminate", "touch", "truncate", "unlink",
    "urlopen", "wait", "write", "write_bytes", "write_text", "writelines",
})  # fmt: skip
"""Methods, of whatever object, that are not called while the module is imported."""
WITHOUT_EFFECT = frozenset({
    "abc", "array", "base64", "bisect", "calendar", "cmath", "collections", "contextlib", "contextvars", "copy", "dataclasses",
    "datetime", "decimal", "difflib", "enum", "fractions", "functools", "graphlib", "hashlib", "heapq", "hmac", "html", "inspect",
    "ipaddress", "itertools", "json", "keyword", "logging", "math", "numbers", "operator", "os", "pathlib", "queue", "random",
    "re", "secrets", "statistics", "string", "struct", "sys", "textwrap", "threading", "time", "types", "typing", "unicodedata",
    "urllib", "uuid", "warnings", "weakref", "zoneinfo",
})  # fmt: skip
"""Of the standard library: modules whose functions may be called while the module is imported."""
DUNDERS = frozenset({
    "__abs__", "__add__", "__aenter__", "__aexit__", "__aiter__", "__all__", "__and__", "__anext__", "__annotations__",
    "__bool__", "__bytes__", "__call__", "__cause__", "__class__", "__class_getitem__", "__contains__", "__copy__",
    "__deepcopy__", "__delitem__", "__doc__", "__enter__", "__eq__", "__exit__", "__float__", "__floordiv__", "__format__",
    "__future__", "__ge__", "__getattr__", "__getitem__", "__gt__", "__hash__", "__index__", "__init__", "__init_subclass__", "__int__",
    "__invert__", "__iter__", "__le__", "__len__", "__lt__", "__matmul__", "__match_args__", "__members__", "__mod__", "__module__", "__mul__",
    "__name__", "__ne__", "__neg__", "__new__", "__next__", "__or__", "__pos__", "__post_init__", "__pow__", "__qualname__",
    "__radd__", "__repr__", "__reversed__", "__rmul__", "__round__", "__rsub__", "__rtruediv__", "__set_name__",
    "__setitem__", "__slots__", "__str__", "__sub__", "__truediv__", "__version__", "__wrapped__", "__xor__",
})  # fmt: skip
_AT_IMPORT = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Pass
)  # fmt: skip
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_TYPES = ("TypeAlias",)
_BY_NAME = ("getattr", "hasattr")
_HIDDEN = re.compile(r"__\w+?__")


@dataclass(frozen=True)
class Policy:
    """What is let through.

    Args:
        allow: beside what always is: modules with all they contain (`requests`, `subprocess`) and names (`os.remove`, `eval`).
        modules: top-level modules that belong to the project itself.
        dependencies: distributions that the project depends on, by normalized name.
    """

    allow: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    dependencies: frozenset[str] = frozenset()

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever another verdict is possible."""
        said = "\n".join([VERSION, *sorted(self.allow), "", *sorted(self.modules), "", *sorted(self.dependencies)])
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def refusals(self, code: str, names: Collection[str] = (), usage: str = "") -> list[str]:
        """Why code is not let in, each with its line; nothing when it is.

        Args:
            code: a module.
            names: what it must define.
            usage: expressions in which the names are used, one a line: what they call must fit.
        """
        try:
            tree = _compiled(code)
        except AnswerError as error:
            return [str(error)]
        reasons = [f"line {line}: {reason}" for line, reason in sorted(set(_Reading(self, tree).reasons()))]
        if reasons:
            return reasons
        return [*_missing(tree, names), *(problem for name in names if (problem := misfit(tree, name, usage)))]

    def admits(self, dotted: str) -> bool:
        """Whether a module or a name in one may be used."""
        parts = dotted.split(".")
        if any(".".join(parts[:count]) in self.allow for count in range(1, len(parts) + 1)):
            return True
        top = parts[0]
        if top in REFUSED_MODULES or (top.startswith("_") and top in sys.stdlib_module_names):
            return False
        if top in PARTS:
            return len(parts) == 1 or parts[1] in PARTS[top]
        return top in sys.stdlib_module_names or top in self.modules or bool(_distributions(top) & self.dependencies)

    def admits_part_of(self, module: str) -> bool:
        """Whether something in a module is allowed by name; then the module may be imported for it."""
        return any(each.startswith(f"{module}.") for each in self.allow)


class _Reading:
    """One module, read for what the policy refuses."""

    def __init__(self, policy: Policy, tree: ast.Module) -> None:
        self._policy, self._tree = policy, tree
        self._allow = policy.allow
        self._modules: dict[str, str] = {}
        """Imported modules by the name that they have here."""
        self._parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}

    def reasons(self) -> Iterator[tuple[int, str]]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from self._imported(node)
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Name):
                yield from self._named(node)
            elif isinstance(node, ast.Attribute):
                yield from self._reached(node)
            elif isinstance(node, ast.Call):
                yield from self._called(node)
            elif isinstance(node, ast.Constant):
                yield from self._said(node)
            elif isinstance(
                node, ast.Global | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.alias | ast.arg
            ):
                yield from self._bound(node)
            elif isinstance(node, ast.MatchClass):
                yield from ((node.lineno, f"{each} is matched") for each in node.kwd_attrs if _is_hidden(each))
        yield from self._at_import(self._tree)
        yield from self._effects()

    def _imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[int, str]]:
        if isinstance(node, ast.ImportFrom) and (node.level or not node.module):
            yield node.lineno, "a relative import: name the module in full"
            return
        module = node.module if isinstance(node, ast.ImportFrom) else None
        base = f"{module}." if module else ""
        if base == "__future__.":
            return
        for each in node.names:
            target = base + each.name
            if each.name == "*":
                yield node.lineno, f"from {module} import *: name what is used"
            elif not self._policy.admits(target) and not self._policy.admits_part_of(target):
                yield node.lineno, f"imports {target}, which is neither allowed nor a dependency of the project"
            elif not base and not each.asname:
                top = target.partition(".")[0]
                self._modules[top] = top
            else:
                self._modules[each.asname or each.name] = target

    def _named(self, node: ast.Name) -> Iterator[tuple[int, str]]:
        refused = node.id in REFUSED_NAMES or (_is_hidden(node.id) and node.id != "__file__")
        if refused and node.id not in self._allow:
            yield node.lineno, f"uses {node.id}"
        elif node.id in _BY_NAME and not self._is_called(node):
            yield node.lineno, f"uses {node.id} other than by calling it"
        elif _is_module(self._modules.get(node.id, "")) and not isinstance(self._parents.get(node), ast.Attribute):
            yield node.lineno, f"uses the module {self._modules[node.id]} as a value"
        if isinstance(node.ctx, ast.Store | ast.Del) and (node.id in self._modules or _is_builtin(node.id)):
            yield node.lineno, f"gives {node.id} another meaning"

    def _reached(self, node: ast.Attribute) -> Iterator[tuple[int, str]]:
        if _is_hidden(node.attr) and node.attr not in self._allow:
            yield node.lineno, f"reaches for {node.attr}"
            return
        path = self._path(node)
        if path is not None and not self._policy.admits(path):
            yield node.lineno, f"uses {path}"
        elif self._leads_out(path, node.attr) and path not in self._allow:
            yield node.lineno, f"reaches for {node.attr} of something else"

    def _leads_out(self, path: str | None, attribute: str) -> bool:
        """Whether what looks like a part of one module may be another, such as `random._os`."""
        bare = attribute.lstrip("_")
        if path is None or path.partition(".")[0] not in sys.stdlib_module_names:
            return bare in CORE
        known = bare in REFUSED_MODULES or bare in PARTS
        return attribute.startswith("_") or (known and path.count(".") > 0 and not self._policy.admits(bare + ".?"))

    def _called(self, node: ast.Call) -> Iterator[tuple[int, str]]:
        """Attributes that are asked for by a text: it must stand there, and say nothing hidden."""
        name = node.func.id if isinstance(node.func, ast.Name) else self._path(node.func) or ""
        name = self._modules.get(name, name)
        if name in self._allow or name not in {*_BY_NAME, "operator.attrgetter"}:
            return
        asked = node.args[1:2] if name in _BY_NAME else node.args
        texts = [each.value for each in asked if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        if not texts or len(texts) < len(asked):
            yield node.lineno, f"calls {name} with a name that is made up while running"
        for part in ".".join(texts).split("."):
            if part.startswith("_") or part in CORE:
                yield node.lineno, f"calls {name} for {part}"

    def _said(self, node: ast.Constant) -> Iterator[tuple[int, str]]:
        if isinstance(node.value, str) and not isinstance(self._parents.get(node), ast.Expr):
            for found in _HIDDEN.findall(node.value):
                if _is_hidden(found) and found not in {*self._allow, "__main__", "__file__"}:
                    yield node.lineno, f"has a text with {found} in it"

    def _bound(self, node: ast.AST) -> Iterator[tuple[int, str]]:
        """Names that are given a meaning other than by assigning."""
        line = getattr(node, "lineno", 1)
        if isinstance(node, ast.Global):
            names = node.names
        elif isinstance(node, ast.alias):
            names = [node.asname] if node.asname else []
        elif isinstance(node, ast.arg):
            names = [node.arg]
        else:
            names = [node.name]  # type: ignore[attr-defined]
        for name in names:
            method = isinstance(self._parents.get(node), ast.ClassDef)
            if name in self._modules and not isinstance(node, ast.alias) and not method:
                yield line, f"gives {name} another meaning"
            elif _is_hidden(name) and name not in self._allow:
                yield line, f"defines {name}"

    def _at_import(self, scope: ast.Module | ast.ClassDef) -> Iterator[tuple[int, str]]:
        """What happens while the module is imported: definitions, and values that are made without effects."""
        for place, node in enumerate(scope.body):
            is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if is_text and (place == 0 or isinstance(scope, ast.ClassDef)):
                continue
            if not isinstance(node, _AT_IMPORT) and type(node).__name__ not in _TYPES and not self._for_types(node):
                yield node.lineno, f"{type(node).__name__} while it is imported: put it into a function"
            if isinstance(node, ast.ClassDef):
                yield from self._at_import(node)

    def _effects(self) -> Iterator[tuple[int, str]]:
        """Calls with an effect while the module is imported, also in those of its own functions that are called then."""
        own = {node.name: node for node in self._tree.body if isinstance(node, _DEFINITIONS)}
        waiting: list[ast.stmt] = [*self._tree.body]
        while waiting:
            for called in _called_at_once(waiting.pop()):
                name = called.id if isinstance(called, ast.Name) else ""
                if name in own:
                    waiting += _bodies(own.pop(name))
                elif self._has_effect(called):
                    yield (
                        called.lineno,
                        f"calls {ast.unparse(called)[:80]} while it is imported: put it into a function",
                    )

    def _has_effect(self, called: ast.expr) -> bool:
        if isinstance(called, ast.Name) and called.id in EFFECTS:
            return True
        path = self._path(called)
        if path is None or path.partition(".")[0] not in sys.stdlib_module_names:
            return path is None and isinstance(called, ast.Attribute) and called.attr in EFFECTS_OF_OBJECTS
        pure = path.partition(".")[0] in WITHOUT_EFFECT and path.rpartition(".")[2] not in EFFECTS_OF_OBJECTS
        return not pure and path not in self._allow

    def _for_types(self, node: ast.stmt) -> bool:
        """Whether it is `if TYPE_CHECKING:` with imports alone."""
        if (
            not isinstance(node, ast.If)
            or node.orelse
            or ast.unparse(node.test) not in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
        ):
            return False
        return all(isinstance(each, ast.Import | ast.ImportFrom) for each in node.body)

    def _path(self, node: ast.expr) -> str | None:
        """What an expression reaches by attributes alone, from an imported module on."""
        if isinstance(node, ast.Name):
            return self._modules.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self._path(node.value)
            return f"{base}.{node.attr}" if base else None
        return None

    def _is_called(self, node: ast.Name) -> bool:
        parent = self._parents.get(node)
        return isinstance(parent, ast.Call) and parent.func is node


def _compiled(code: str) -> ast.Module:
    if len(code) > LARGEST:
        raise AnswerError(f"The code has {len(code)} characters; {LARGEST} are the most.")
    tree = parsed(code)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SyntaxWarning)
            compile(tree, "<generated>", "exec", dont_inherit=True)
            compile(code, "<generated>", "exec", dont_inherit=True)
    except (SyntaxError, SyntaxWarning, ValueError, RecursionError, MemoryError) as error:
        raise AnswerError(f"The code does not compile: {error}.") from error
    return tree


def _missing(tree: ast.Module, names: Collection[str]) -> list[str]:
    known = {name for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom) for name in defined(node)}
    return [f"{name} is not defined at the top of the module" for name in names if name not in known]


def _is_hidden(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in DUNDERS


def _is_module(target: str) -> bool:
    """Whether an imported thing is a module, as far as the standard library goes; one of others is taken for one by `import`."""
    if target.partition(".")[0] not in sys.stdlib_module_names:
        return bool(target) and "." not in target
    from importlib.util import find_spec

    try:
        return find_spec(target) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _is_builtin(name: str) -> bool:
    return hasattr(builtins, name) and name in REFUSED_NAMES | EFFECTS | set(_BY_NAME)


def _called_at_once(statement: ast.stmt) -> Iterator[ast.expr]:
    """What a statement calls when it is executed: not what the functions that it defines would."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        each = waiting.pop()
        if isinstance(each, _DEFINITIONS):
            yield from (one for one in each.decorator_list if not isinstance(one, ast.Call))
            waiting += each.decorator_list
        if isinstance(each, ast.Call):
            yield each.func
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += [*each.args.defaults, *(one for one in each.args.kw_defaults if one)]
        elif not isinstance(each, ast.Lambda):
            waiting += ast.iter_child_nodes(each)


def _bodies(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[ast.stmt]:
    """What is executed when a function, or a class with any of its methods, is called."""
    if not isinstance(node, ast.ClassDef):
        return node.body
    return [one for each in node.body if isinstance(each, _DEFINITIONS) for one in _bodies(each)]


def _distributions(module: str) -> frozenset[str]:
    """The distributions that a top-level module is installed by, by normalized name; the module's own name among them."""
    names = [module, *_installed().get(module, ())]
    return frozenset(re.sub(r"[-_.]+", "-", name).lower() for name in names)


_packages: dict[str, list[str]] = {}


def _installed() -> dict[str, list[str]]:
    if not _packages:
        from importlib.metadata import packages_distributions

        _packages.update(packages_distributions())
    return _packages
