import ast
import threading

import pytest

from contexten.codebase.syntax import parse


def test_threads_that_parse_at_once_do_not_disturb_each_other():
    source = "x = " + "(" * 60 + "1" + ")" * 60 + "\n" + "def f(a, b=[1, {2: 3}]): return [a for a in b if a]\n" * 200
    wanted, trees, errors = ast.dump(ast.parse(source)), [], []

    def work():
        try:
            trees.extend(ast.dump(parse(source)) for _ in range(10))
        except SystemError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(trees) == 80
    assert set(trees) == {wanted}


def test_what_is_wrong_with_a_source_is_raised_and_its_warnings_are_not():
    assert isinstance(parse("'\\d' is 'x'", "eval").body, ast.Compare)
    with pytest.raises(SyntaxError):
        parse("def")
    with pytest.raises(SyntaxError, match="null"):
        parse("x = '\0'")
