"""Import TensorFlow and Keras without their start-up messages.

TensorFlow's C++ side writes a few lines about processors and optimisations straight to the process's error stream
before any Python setting can stop it, and in a notebook they land on the page. Importing this module first keeps them
away::

    import helpers.quiet
    import keras
    import tensorflow as tf
"""

import contextlib
import os
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")


@contextlib.contextmanager
def error_stream_held_back():
    """Hold back all that is written to file descriptor 2, by C++ too; show it after all if an exception passes."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            sys.stderr.write(held.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


with error_stream_held_back():
    import keras  # noqa: F401
    import tensorflow as tf

    # The first operation makes TensorFlow speak once more; have that happen here too.
    tf.constant(0) + 1

# A session that trains several networks traces each of them once; TensorFlow warns that this is slow.
tf.get_logger().setLevel("ERROR")
