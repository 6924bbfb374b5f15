"""The IPython profile of the build's kernels: each figure that a cell shows carries a version for dark pages as well.

The build points IPYTHONDIR at a folder with a profile that loads it (tools/guards/kernel.py writes it), so no notebook and no
helper needs a line for it, and a reader's own kernel, which has another profile, knows nothing of it. This module is imported by
every kernel of the build, so it imports nothing large: Matplotlib is there by the time there is a figure.
"""


def both_versions(fig):
    """Return a figure's outputs for the pages, as ``dark_figures.both_versions`` does."""
    from tools.press import dark_figures

    return dark_figures.both_versions(fig)


def load_ipython_extension(shell):
    """Register with a kernel's shell, by the type's name; covers figures shown at a cell's end and by ``plt.show()``."""
    shell.display_formatter.mimebundle_formatter.for_type_by_name("matplotlib.figure", "Figure", both_versions)


def digest(code):
    """Return the digest of the code that draws figures into a cell's outputs: executed chapters depend on it.

    code : experiments.bench.code.Code
    """
    return code.digest("tools.press.kernel:both_versions")
