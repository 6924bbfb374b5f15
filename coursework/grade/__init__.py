"""Grading: collecting submissions, running them in the sandbox, marks, feedback and item analysis; and the concept test."""
