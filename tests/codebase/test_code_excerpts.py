"""How definitions are shown in a context."""

LONG = "\n".join(f"    def step_{number}(self): return {number}" for number in range(40))


def text(codebase, prompt, caller=None, budget=4000):
    return str(codebase.relevant_context(prompt, caller, budget))


def test_a_method_that_is_named_is_shown_whole_inside_a_long_class(project):
    codebase = project({"a.py": f"class Machine:\n    def start(self):\n        self.x = 41 + 1\n{LONG}\n"})
    for budget in (400, 4000):
        shown = text(codebase, "Why does Machine.start hang?", budget=budget)
        assert "    def start(self):\n        self.x = 41 + 1" in shown
        assert shown.count("def start") == shown.count("self.x = 41") == 1
    assert "class Machine:  # line 1\n" in shown
    assert "    def step_7(self): ..." in shown or "    def step_7(self): return 7" in shown


def test_of_overloads_the_implementation_is_shown(project):
    codebase = project(
        {
            "a.py": """
                import typing as t
                @t.overload
                def convert(value: int) -> int: ...
                @t.overload
                def convert(value: str) -> str: ...
                def convert(value):
                    return value
            """
        }
    )
    shown = text(codebase, "convert the value")
    assert "def convert(value):\n    return value" in shown
    assert "overload" not in shown
    names = [each.symbol.name for each in codebase.relevant_context("convert the value").items]
    assert names.count("convert") == 1


def test_a_long_signature_loses_types_and_values(project):
    parameters = ", ".join(f"parameter_{number}: dict[str, int] | None = None" for number in range(8))
    codebase = project({"a.py": f"def build(first: int, *rest: str, {parameters}) -> str:\n" + "    x = 1\n" * 1000})
    assert "def build(first, *rest, parameter_0=…, " in text(codebase, "build")
    assert ") -> str: ...  # line 1" in text(codebase, "build")


def test_a_long_docstring_is_cut_to_its_first_paragraph(project):
    more = "\n".join(f"    More about it, part {number}." for number in range(20))
    codebase = project({"a.py": f'def build(x):\n    """Build it\n    well.\n\n{more}\n    """\n    return x + 1\n'})
    assert 'def build(x):\n    """Build it\n    well.\n    …"""\n    return x + 1' in text(codebase, "build")


def test_what_stands_in_a_shown_body_is_not_said_again(project):
    codebase = project(
        {"a.py": f"class Machine:\n    def __init__(self, speed):\n        self.speed = speed\n{LONG}\n"}
    )
    shown = text(codebase, "Machine.__init__ and Machine.speed")
    assert shown.count("self.speed = speed") == 1


def test_a_definition_that_goes_on_is_marked(project):
    codebase = project({"a.py": "PRICES = {\n    'a': 1,\n}\n"})
    assert text(codebase, "change PRICES") == "# a.py\nPRICES = {…  # line 1"
