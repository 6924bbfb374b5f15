"""What differs for a teacher: the course folder (made by ``make coursework``) is ``course`` in her home."""

import os

c = get_config()  # noqa: F821 (the name comes from whoever loads this file)

c.CourseDirectory.root = os.path.join(os.path.expanduser("~"), "course")
