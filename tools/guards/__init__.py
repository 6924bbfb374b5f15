"""Guards: what the book promises of itself and cannot see by running, held by reading its code."""
