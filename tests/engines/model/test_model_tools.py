"""The tools of a model: what each finds or does, and what it says when it cannot."""

import os

import pytest

from contexten.engines.model.tools.running import tests_in as told_by

pytestmark = pytest.mark.anyio


async def test_find_tells_where_a_name_is_defined(toolbox):
    found = await toolbox("find", name="refund_order")
    assert found.text.startswith("shop/payments/refunds.py:12-")
    assert "def refund_order" in found.text
    assert found.line == "refund_order → shop/payments/refunds.py:12"
    assert (await toolbox("find", name="shop/errors.py")).text == "shop/errors.py"
    lost = await toolbox("find", name="refund_ordr")
    assert not lost.ok
    assert "refund_order" in lost.text


async def test_uses_tells_every_place(toolbox):
    found = await toolbox("uses", name="refund_order")
    assert "is used in" in found.text
    assert " call in " in found.text
    assert not (await toolbox("uses", name="nobody_has_this")).ok


async def test_context_and_search_read_the_code_as_it_is_now(toolbox):
    await toolbox("write", path="shop/coupons.py", text='def redeem_coupon(code):\n    """Redeem a coupon."""\n')
    assert "def redeem_coupon" in (await toolbox("context", question="Who redeems a coupon?")).text
    assert "shop/coupons.py:1: def redeem_coupon(code):" in (await toolbox("search", text="REDEEM_coupon")).text
    assert (await toolbox("search", text="sold out for now")).text.endswith(
        "\nsettings.yml:2: message: sold out for now"
    )
    assert (await toolbox("search", text="(.*)+$")).text == "No line holds this text."


async def test_read_gives_numbered_lines(toolbox):
    (toolbox.place.root / "long.txt").write_text("".join(f"line {number}\n" for number in range(1, 1201)))
    first = await toolbox("read", path="long.txt")
    assert first.text.startswith("1\tline 1\n2\t")
    assert first.text.endswith("500\tline 500\n[the file has 1200 lines]")
    assert (await toolbox("read", path="long.txt", start=1199, end=5000)).text == "1199\tline 1199\n1200\tline 1200"
    assert "there is no line 1201" in (await toolbox("read", path="long.txt", start=1201)).text
    (toolbox.place.root / "empty.txt").touch()
    assert (await toolbox("read", path="empty.txt")).text == "[the file is empty]"


async def test_what_is_no_text_is_not_read(toolbox):
    (toolbox.place.root / "picture.bin").write_bytes(b"\xff\xfe\x00")
    (toolbox.place.root / "wide.txt").write_text("x" * 100_000)
    assert "not text in UTF-8" in (await toolbox("read", path="picture.bin")).text
    assert "There is no file 'gone.txt'" in (await toolbox("read", path="gone.txt")).text
    assert "[cut: the line has 100000 characters]" in (await toolbox("read", path="wide.txt")).text


async def test_list_names_what_is_there_and_not_hidden(toolbox):
    (toolbox.place.root / ".secret").touch()
    os.close(os.open(os.fsencode(toolbox.place.root) + b"/\xff.txt", os.O_CREAT))
    listed = (await toolbox("list")).text.split("\n")
    assert {"shop/", "README.md", "Makefile"} <= set(listed)
    assert ".secret" not in listed
    assert ".git/" not in listed
    assert "?.txt" in listed
    assert "There is no folder" in (await toolbox("list", path="nowhere")).text


async def test_edit_replaces_what_is_there_once(toolbox):
    path = toolbox.place.root / "a.py"
    path.write_text("one\ntwo\ntwo\n")
    path.chmod(0o755)
    assert (await toolbox("edit", path="a.py", old="one\n", new="uno\ndos\n")).line == "a.py:1 2 → 3 lines"
    assert path.read_text() == "uno\ndos\ntwo\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o755
    assert "2 times" in (await toolbox("edit", path="a.py", old="two", new="x")).text
    assert "not in a.py" in (await toolbox("edit", path="a.py", old="three", new="x")).text
    assert "the same" in (await toolbox("edit", path="a.py", old="uno", new="uno")).text
    assert [each.name for each in toolbox.place.root.glob(".contexten-*")] == []


async def test_edit_keeps_the_line_ends_of_a_file(toolbox):
    path = toolbox.place.root / "dos.txt"
    path.write_bytes(b"a\r\nb\r\nc\r\n")
    assert (await toolbox("edit", path="dos.txt", old="a\nb", new="a\nx\nb")).ok
    assert path.read_bytes() == b"a\r\nx\r\nb\r\nc\r\n"


async def test_write_and_delete(toolbox):
    root = toolbox.place.root
    assert (await toolbox("write", path="new/deep/a.txt", text="a\nb\n")).line == "new/deep/a.txt · 2 lines · new"
    assert (await toolbox("write", path="new/deep/a.txt", text="c")).line == "new/deep/a.txt · 1 lines"
    assert (root / "new/deep/a.txt").read_text() == "c"
    assert "is a folder" in (await toolbox("write", path="new", text="x")).text
    assert (await toolbox("delete", path="new/deep/a.txt")).ok
    assert not (root / "new/deep/a.txt").exists()
    assert not (await toolbox("delete", path="new")).ok


async def test_run_tells_the_exit_code_and_what_was_printed(toolbox):
    assert (await toolbox("run", command="echo hello; exit 3")).text == "[exit 3]\nhello\n"
    assert not (await toolbox("run", command="exit 3")).ok
    passed = await toolbox("run", command="echo '===== 12 passed, 1 skipped in 0.11s ====='")
    assert (passed.data["tests"], toolbox.place.tests) == ("12 passed", "12 passed")


@pytest.mark.parametrize(
    ("output", "tests"),
    [
        ("============ 2 failed, 10 passed, 1 warning in 1.20s ============", "2 failed, 10 passed"),
        ("12 passed in 0.1s\n", "12 passed"),
        ("Ran 3 tests in 0.001s\n\nOK\n", "3 passed"),
        ("Ran 3 tests in 0.001s\n\nFAILED (failures=1)\n", "3 run, some failed"),
        ("Tests:       1 failed, 4 passed, 5 total\n", "1 failed, 4 passed"),
        ("test result: ok. 7 passed; 0 failed; 0 ignored\n", "7 passed"),
        ("nothing of the kind", None),
        ("=" * 100_000, None),
        ("1 failed, " * 50_000, None),
        ("\n" * 100_000, None),
    ],
)
async def test_reports_of_tests_are_understood(output, tests):
    assert told_by(output) == tests
