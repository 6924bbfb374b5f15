"""A course on JupyterHub: configuration files for two ways to run one, and a real one on this computer to try them in."""
