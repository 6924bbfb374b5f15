"""A helper that travels to students."""


def shout(word):
    """Return the word in capitals."""
    return word.upper()
