"""Without a server: the program starts one inside itself, on the same data, and leaves everything behind for the next."""

import json


def test_a_run_works_without_a_server_and_is_kept(machine):
    done = machine("run", "Who calls refund_order?")
    assert done.returncode == 0, done.stderr
    assert "  run 1 · analyst · ~/src/shop\n" in done.stdout
    assert "shop/checkout.py:8" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(" · contexten runs show 1")
    assert "shop/checkout.py:8" in machine.json("runs", "show", "1")["result"]
    with machine.up() as ready:
        assert ready["runs"] == 1


def test_it_works_on_the_folder_where_one_stands(machine, tmp_path):
    machine("run", "Where is refund_order defined?")
    other = tmp_path / "other"
    other.mkdir()
    (other / "tool.py").write_text("def turn(): ...\n")
    done = machine("run", "Where is turn defined?", cwd=other)
    assert "tool.py:1" in done.stdout


def test_not_following_needs_a_server(machine):
    done = machine("run", "overview", "--no-follow")
    assert done.returncode == 1
    assert done.stderr == "error: no server is running here. Start it: contexten up\n"
    assert not machine.data.exists()


def test_two_programs_share_one_data_folder(machine):
    """The second waits until the server inside the first has ended, and starts its own."""
    both = [machine.start("run", f"Where is {name} defined?") for name in ("refund_order", "cancel")]
    for process in both:
        out, err = process.communicate(timeout=150)
        assert process.returncode == 0, err
        assert "  answer " in out
    assert machine.json("runs", "list")["total"] == 2


def test_where_it_never_listened_nobody_is_sent(machine):
    machine("run", "overview")
    kept = json.loads((machine.data / "credentials.json").read_text())
    assert kept["base_url"] is None
    done = machine("env")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("Start it: contexten up\n")
