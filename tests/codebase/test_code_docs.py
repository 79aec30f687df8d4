import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "codebase.md"


def test_the_example_runs_as_printed(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("CONTEXTEN_CACHE_DIR", str(tmp_path / "cache"))
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(compile(example, str(PAGE), "exec"), {})
    shown = capsys.readouterr().out
    assert "shop/checkout.py:8 return refund_order(account, cents)" in shown
    assert "# shop/payments/refunds.py" in shown
