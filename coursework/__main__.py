"""``python -m coursework COMMAND ...``: the commands of the coursework, each in its own module.

A module is imported only when its command is asked for: reading a page of help needs neither nbgrader nor NumPy.
"""

import importlib
import sys

# command: (module, what it does)
COMMANDS = {
    "make": ("coursework.making", "make the student zips and the teacher's bundle"),
    "check": ("coursework.warm", "grade the graders: solutions, blank copies, right and wrong answers"),
    "pages": ("coursework.pages", "write the public pages of the assignments"),
    "leaks": ("coursework.leaks", "look for solutions and hidden tests in zips, folders and the built site"),
    "grade": ("coursework.grading", "collect a folder of submissions, grade them, write feedback and marks"),
    "concept_test": ("coursework.concept_test_scores", "compare the answers of a class before and after the course"),
    "measure": ("coursework.measure", "measure grading with made-up classes"),
    "analyse": ("coursework.analysis", "write the item analysis of graded submissions"),
}


def usage():
    """Return the list of commands."""
    lines = [f"  {name:13s} {what}" for name, (_, what) in COMMANDS.items()]
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
    return importlib.import_module(COMMANDS[command][0]).main(rest) or 0


if __name__ == "__main__":
    sys.exit(main())
