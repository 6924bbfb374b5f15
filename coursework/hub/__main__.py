"""``python -m coursework.hub COMMAND``: enrol people, measure memory, fit the settings to it, run a hub to try."""

import argparse
import json
import sys
from pathlib import Path

from coursework.hub import classlist


def names_in(path):
    """Return the names in a text file, one a line; empty lines and lines that begin with # do not count."""
    lines = [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def enrol(options):
    """Change the class list and write the Helm values beside it."""
    import yaml

    students = [*options.student, *(names_in(options.students_from) if options.students_from else [])]
    listed = classlist.enrol(classlist.read(options.list), options.teacher, students, options.leaves)
    if options.course:
        listed["course"] = options.course
    options.list.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    values = options.list.with_suffix(".values.yaml")
    values.write_text(yaml.safe_dump(classlist.helm_values(listed), sort_keys=False), encoding="utf-8")
    here = [one for one in listed["people"].values() if not one.get("left")]
    teachers = sum(one["role"] == "teacher" for one in here)
    print(
        f"{listed['course']}: {teachers} teachers, {len(here) - teachers} students in {options.list}; Helm values in {values}"
    )


def measure(options):
    """Measure memory; see coursework/hub/memory.py."""
    from coursework.hub import memory

    memory.measure(options.names)


def fit(options):
    """Write what follows from the measured memory into the settings and the README, or only say what is out of date."""
    from coursework.hub import sizes

    stale = sizes.fit(write=not options.check)
    for path in stale:
        print(f"{path}: {'out of date; run python -m coursework.hub fit' if options.check else 'written'}")
    return 1 if stale and options.check else 0


def main(arguments=None):
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m coursework.hub", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("enrol", help="add people to the class list, or mark that they left")
    one.add_argument("list", type=Path, help="the class list, a JSON file; made if there is none")
    one.add_argument("--course", help="the course's name (default: digits)")
    one.add_argument("--teacher", nargs="+", default=[], metavar="NAME")
    one.add_argument("--student", nargs="+", default=[], metavar="NAME")
    one.add_argument("--students-from", type=Path, metavar="FILE", help="a text file, one name a line")
    one.add_argument("--leaves", nargs="+", default=[], metavar="NAME", help="shut out; the user id stays taken")
    one.set_defaults(run=enrol)
    one = commands.add_parser("measure", help="measure the memory of a server and of kernels; writes measured.json")
    one.add_argument("names", nargs="*", help="these chapters or assignments alone")
    one.set_defaults(run=measure)
    one = commands.add_parser("fit", help="write the sizes that follow from measured.json into settings and README")
    one.add_argument("--check", action="store_true", help="write nothing; fail if something is out of date")
    one.set_defaults(run=fit)
    options = parser.parse_args(arguments)
    try:
        return options.run(options) or 0
    except (classlist.ClassError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
