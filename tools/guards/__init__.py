"""Guards: what holds the book's numbers and sentences to what was measured. CONTRIBUTING.md says what to do when one speaks."""
