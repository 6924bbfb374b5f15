"""``python -m coursework COMMAND ...``: the commands of the coursework, each in its own module.

A module is imported only when its command is asked for: reading a page of help needs neither nbgrader nor NumPy.
"""

import sys


def make(arguments):
    """make the student zips and the teacher's bundle"""
    from coursework.make.making import main

    return main(arguments)


def check(arguments):
    """grade the graders: solutions, blank copies, right and wrong answers"""
    from coursework.make.check import main

    return main(arguments)


def pages(arguments):
    """write the public pages of the assignments"""
    from coursework.make.pages import main

    return main(arguments)


def leaks(arguments):
    """look for solutions and hidden tests in zips, folders and the built site"""
    from coursework.make.leaks import main

    return main(arguments)


def grade(arguments):
    """collect a folder of submissions, grade them, write feedback and marks"""
    from coursework.grade.run import main

    return main(arguments)


def concept_test(arguments):
    """compare the answers of a class before and after the course"""
    from coursework.grade.concept_test_scores import main

    return main(arguments)


def measure(arguments):
    """measure grading with made-up classes"""
    from coursework.grade.measure import main

    return main(arguments)


def analyse(arguments):
    """write the item analysis of graded submissions"""
    from coursework.grade.analysis import main

    return main(arguments)


# by name; the docstring of each is its line in the list of commands
COMMANDS = {one.__name__: one for one in (make, check, pages, leaks, grade, concept_test, measure, analyse)}


def usage():
    """Return the list of commands."""
    lines = [f"  {name:13s} {command.__doc__}" for name, command in COMMANDS.items()]
    return "\n".join(["usage: python -m coursework COMMAND ...", "", *lines, "", "COMMAND --help says more of one."])


def main(arguments=None):
    """Run one command; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(usage())
        return 0 if arguments else 2
    command, *rest = arguments
    if command not in COMMANDS:
        print(f"there is no command {command!r}\n\n{usage()}", file=sys.stderr)
        return 2
    return COMMANDS[command](rest) or 0


if __name__ == "__main__":
    sys.exit(main())
