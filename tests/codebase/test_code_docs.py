import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "codebase.md"


def test_the_example_runs(project, root, monkeypatch, capsys, tmp_path):
    project({"shop/refunds.py": "def refund(order):\n    '''Give money back.'''\n\ndef cancel(order): refund(order)\n"})
    monkeypatch.chdir(root)
    monkeypatch.setenv("CONTEXTEN_CACHE_DIR", str(tmp_path / "cache"))
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(compile(example, str(PAGE), "exec"), {})
    shown = capsys.readouterr().out
    assert "refunds.py:4 def cancel(order): refund(order)" in shown
    assert "# refunds.py" in shown
