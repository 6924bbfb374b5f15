"""A course on JupyterHub: configuration files for two ways to run one, and a real one on this computer to try them in."""

from coursework import ROOT

HERE = ROOT / "coursework" / "hub"
RECORD = HERE / "measured.json"  # the memory of servers and kernels, as it was measured
