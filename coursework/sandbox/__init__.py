"""Where the code of submissions runs: ``outside`` is the trusted side, ``inside`` what bubblewrap locks in."""
