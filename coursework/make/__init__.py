"""Making: the sources of the assignments, what students and teachers get of them, their public pages, and the search for leaks."""
