"""What an experiment is, and how a chapter repeats one of its runs."""

import subprocess
import sys

import pytest
from experiments.bench import declare
from helpers.measurements import MeasurementError, measurement
from notebook_rules import ROOT
from toys import PARTS, TOY, edited


def toy():
    """The toy as it is declared now."""
    return declare.EXPERIMENTS["toy"]


def test_repeating_a_run_agrees(recorded):
    said = []
    recorded.monkeypatch.setattr(declare, "say", said.append)
    live = toy().repeat(measurement("toy"), size=(1, 2), seed=1)
    assert live["total"] == measurement("toy", "sample").values("total", size=(1, 2))[1]
    assert (
        len(said) == 1 and "seed 1, sample edition" in said[0] and "total 30" in said[0] and "in 4 recorded" in said[0]
    )


def test_repeating_fails_when_the_function_has_changed(recorded):
    one = measurement("toy")
    recorded.write(parts=PARTS.replace("SCALE = 10", "SCALE = 11"))
    with pytest.raises(
        MeasurementError,
        match=r"toy .*seed 0: total is 33.*, but 30.* in the 4 recorded runs.*make measurements NAME=toy",
    ):
        toy().repeat(one, size=(1, 2))


def test_with_other_seeds_the_reach_is_that_of_so_few_runs(recorded, monkeypatch):
    """Four runs say little about how far a fifth may lie: Student's t, not a fixed number of deviations."""
    one = measurement("toy", "sample")
    mean, spread = one.mean("total", size=(1, 2)), one.std("total", size=(1, 2))
    assert spread > 0 and declare._beside(4) == pytest.approx(12.924 * 1.25**0.5, rel=1e-4)

    def run(deviations):
        again = toy()
        again.function = lambda *_, **__: {"total": mean + deviations * spread}
        return again.repeat(one, size=(1, 2))

    monkeypatch.setenv("DIGITS_SEED_OFFSET", "1000")
    assert run(14) and run(-14)
    with pytest.raises(MeasurementError):
        run(15)
    monkeypatch.setenv("DIGITS_SEED_OFFSET", "0")
    assert run(3.9)
    with pytest.raises(MeasurementError):
        run(4.1)


def test_repeating_fails_on_a_result_that_is_no_number(recorded):
    one = measurement("toy")
    recorded.write(parts=PARTS.replace("SCALE = 10", 'SCALE = float("nan")'))
    with pytest.raises(MeasurementError, match="total is nan"):
        toy().repeat(one, size=(1, 2))


def test_repeating_allows_another_processors_rounding_and_no_more(recorded):
    deterministic = "    return 0.0\n"
    recorded.write(
        parts=PARTS[: PARTS.index("    # a comment")] + deterministic,
        edit=lambda code: code.replace("seeds=4", 'seeds=4, alike=lambda one, other: one["size"] == other["size"]'),
    )
    recorded.record("--again")
    one = measurement("toy", "sample")
    assert one.std("total", size=(1, 2)) == 0
    for scale, agrees in ((10.005, True), (9.995, True), (10.02, False), (9.98, False)):
        recorded.write(
            parts=PARTS.replace("SCALE = 10", f"SCALE = {scale}")[: -len(PARTS.split("# a comment")[1]) - 15]
            + deterministic
        )
        if agrees:
            toy().repeat(one, size=(1, 2))
        else:
            with pytest.raises(MeasurementError):
                toy().repeat(one, size=(1, 2))


def test_repeating_needs_the_current_edition_recorded(recorded):
    edited(lambda content: content["editions"].pop("sample"))(recorded.path)
    with pytest.raises(MeasurementError, match="holds no sample edition: run make measurements NAME=toy"):
        toy().repeat(measurement("toy"), size=(1, 2))


def test_two_experiments_of_one_name_are_refused(toys):
    toys.write()
    (toys.folder / "toys" / "toy_again.py").write_text(TOY.format(name="toy", slow=""))
    with pytest.raises(ValueError, match="two experiments are called toy"):
        __import__("experiments.toy_again")


def test_an_experiment_is_called_like_its_function_and_says_what_it_does(toys):
    one = toys.write()
    assert (
        one.name == one.__name__ == "toy" and one.__doc__.startswith("Adds up") and one.__module__ == "experiments.toy"
    )
    assert one(None, size=(1, 2), seed=0)["total"] == one.function(None, size=(1, 2), seed=0)["total"] > 29
    assert one.compare == ("total",) and not one.timed and one.needs == ()
    assert one.runs("full") == [{"size": size, "seed": seed} for seed in range(4) for size in ((1, 2), (3,))]


def test_another_experiments_recording_is_refused(recorded):
    one = measurement("toy")
    one.content["name"] = "other"
    with pytest.raises(MeasurementError, match="is the recording of other, not of toy"):
        toy().repeat(one, size=(1, 2))


def test_what_is_imported_to_repeat_a_run_needs_no_dask():
    """Readers import their chapter's experiments, and have neither Dask nor a progress bar to install for it."""
    code = (
        "import sys; import experiments.svm_knn_baselines; "
        "print([name for name in ('dask', 'distributed', 'tensorflow', 'keras', 'tqdm') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
