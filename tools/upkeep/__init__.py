"""Looks after the project: the locks, JupyterLab, clean notebooks, bounds, planted faults."""
