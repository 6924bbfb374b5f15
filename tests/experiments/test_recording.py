"""Recording in one process, so that a kill or a full disk costs nothing."""

import json
import os
import signal
import textwrap

import pytest
from experiments.bench import __main__ as recorder
from experiments.bench import declare, store
from experiments.bench.code import code_hash
from helpers.measurements import digest, measurement
from toys import ALL_RUNS, PARTS, edited, wait_for


def test_a_recording_holds_every_run_and_where_it_comes_from(toys):
    function = toys.write()
    assert toys.record() == 0
    content = json.loads(toys.path.read_text())
    assert (
        content["name"] == "toy" and content["module"] == "experiments.toy" and list(content["editions"]) == ["sample"]
    )
    about = content["editions"]["sample"]
    assert about["code"] == code_hash(function) and about["digest"] == digest(about["runs"])
    (machine,) = about["machines"]
    assert machine["processor"] and machine["cores"] == machine["threads"] == os.cpu_count()
    assert {"Python", "keras", "numpy"} <= machine["versions"].keys() and machine["date"] and about["needs"] == {}
    assert [run["settings"] for run in about["runs"]] == [
        {"size": size, "seed": seed} for seed in range(4) for size in ([1, 2], [3])
    ]
    assert all(run["seconds"] >= 0 and run["result"]["parts"] == run["settings"]["size"] for run in about["runs"])
    assert toys.runs_made() == ALL_RUNS
    assert [path.name for path in toys.path.parent.iterdir()] == ["toy.json"]


def test_what_is_up_to_date_is_not_recorded_again(toys):
    toys.write()
    toys.record()
    before = toys.path.read_bytes()
    toys.record()
    assert toys.runs_made() == ALL_RUNS and toys.path.read_bytes() == before
    toys.record("--again")
    assert toys.runs_made() == ALL_RUNS * 2


def test_changed_code_is_recorded_again(toys):
    toys.write()
    toys.record()
    toys.write(parts=PARTS.replace("SCALE = 10", "SCALE = 11"))
    toys.record()
    assert toys.runs_made() == ALL_RUNS * 2
    assert measurement("toy", "sample").mean("total", size=(3,)) == pytest.approx(33, abs=0.1)


def test_more_seeds_add_runs_and_keep_the_others(toys):
    toys.write()
    toys.record()
    toys.write(edit=lambda code: code.replace("seeds=4", "seeds=5"))
    toys.record()
    assert toys.runs_made() == ALL_RUNS + ["[1, 2] 4", "[3] 4"]
    assert len(measurement("toy", "sample").runs) == 10
    toys.write(edit=lambda code: code.replace("seeds=4", "seeds=2"))
    toys.record()
    assert len(toys.runs_made()) == 10 and len(measurement("toy", "sample").runs) == 4


def test_runs_of_another_machine_are_not_mixed_with_new_ones(toys):
    toys.write()
    toys.record()
    edited(lambda content: content["editions"]["sample"].update(processor="another one"))(toys.path)
    toys.record()
    assert toys.runs_made() == ALL_RUNS  # up to date all the same
    toys.write(edit=lambda code: code.replace("seeds=4", "seeds=5"))
    toys.record()
    assert len(toys.runs_made()) == 8 + 10


def test_editions_are_recorded_side_by_side(recorded):
    full = json.loads(recorded.path.read_text())["editions"]["full"]
    recorded.record("--again")
    assert json.loads(recorded.path.read_text())["editions"]["full"] == full


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_a_killed_recording_goes_on_where_it_stopped(toys):
    toys.write(slow='__import__("time").sleep(0.15)')
    process = toys.child()
    wait_for(lambda: len(toys.runs_made()) == 4, process)  # the fourth run is under way
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    assert not toys.path.exists()
    (partial,) = toys.path.parent.glob("*.partial")
    finished = partial.read_text().splitlines()
    assert len(finished) == 3
    process = toys.child()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert toys.runs_made() == ALL_RUNS[:4] + ALL_RUNS[3:]  # the run that was under way was made again, no other
    runs = measurement("toy", "sample").runs
    assert len(runs) == 8
    assert [run["seconds"] for run in runs[:3]] == [json.loads(line)["seconds"] for line in finished]
    assert [path.name for path in toys.path.parent.iterdir()] == ["toy.json"]


def test_a_line_cut_short_costs_that_run_only(toys):
    """A kill in the middle of writing a line: later runs are kept on lines of their own, and survive a second kill."""
    toys.write()
    partial = toys.path.with_name("toy.sample.partial")
    toys.write(
        edit=lambda code: code.replace(
            "    return {", "    if seed == 1:\n        raise KeyboardInterrupt\n    return {"
        )
    )
    with pytest.raises(KeyboardInterrupt):
        toys.record()
    lines = partial.read_text().splitlines()
    assert len(lines) == 2
    partial.write_text(lines[0] + "\n" + lines[1][:40])  # no end of line
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            toys.record()
    # [3] 0 was made again, once; its line stood alone, so the third attempt found both.
    assert toys.runs_made() == ["[1, 2] 0", "[3] 0", "[1, 2] 1", "[3] 0", "[1, 2] 1", "[1, 2] 1"]


def test_finished_runs_of_other_code_do_not_count(toys):
    toys.write(
        edit=lambda code: code.replace(
            "    return {", "    if seed == 1:\n        raise KeyboardInterrupt\n    return {"
        )
    )
    with pytest.raises(KeyboardInterrupt):
        toys.record()
    toys.log.unlink()
    toys.write()
    toys.record()
    assert toys.runs_made() == ALL_RUNS


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on a file's size")
def test_a_full_disk_leaves_the_old_recording_whole(toys):
    toys.write()
    toys.record()
    before = toys.path.read_bytes()
    toys.write(parts=PARTS.replace("SCALE = 10", "SCALE = 11"))
    limited = textwrap.dedent("""
        import resource, signal, sys
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
    """)
    for size in (100, len(before) - 50):
        process = toys.child(limited.format(size=size))
        out, err = process.communicate(timeout=60)
        assert process.returncode == 1 and "File too large" in err, err
        assert toys.path.read_bytes() == before
        assert not [path for path in toys.path.parent.iterdir() if path.name.startswith(".")]
    process = toys.child()
    assert process.communicate(timeout=60) and process.returncode == 0
    assert measurement("toy", "sample").mean("total", size=(3,)) == pytest.approx(33, abs=0.1)


def test_lists_of_numbers_stand_on_one_line_and_nothing_is_changed(tmp_path):
    content = {
        "a": [1, 2.5, -3],
        "b": [[1, 2], [3, 4]],
        "c": "[ 1,\n 2 ]",
        "d": ["x [ y ]", " ]"],
        "e": [],
        "f": {"g": [1]},
    }
    path = tmp_path / "x.json"
    store.write_whole(path, content)
    assert json.loads(path.read_text()) == content
    assert '"a": [1, 2.5, -3]' in path.read_text() and "[1, 2]" in path.read_text()


def test_a_result_that_json_cannot_keep_is_named(toys):
    toys.write(edit=lambda code: code.replace('"parts": np.array(size) * 1.0', '"parts": {1, 2}'))
    with pytest.raises(TypeError, match="a result holds a set"):
        toys.record()


def test_unknown_names_and_the_list(toys, capsys):
    toys.write()
    toys.monkeypatch.setattr(declare, "load_all", list)
    assert recorder.main(["no_such"]) == 2
    assert "no experiment is called no_such; there are: toy" in capsys.readouterr().err
    assert recorder.main(["--list"]) == 0
    assert capsys.readouterr().out == "toy: 8 runs (full), 8 (sample)\n"
