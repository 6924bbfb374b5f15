"""Coursework for the book: six assignments from one source each, what is made of them, and how they are graded.

For teachers and maintainers only; no reader needs it. ``python -m coursework`` lists the commands.
"""
