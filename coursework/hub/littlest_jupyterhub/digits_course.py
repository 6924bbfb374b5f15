"""The course on The Littlest JupyterHub; stands in /opt/tljh/config/jupyterhub_config.d."""

import os

os.environ["DIGITS_CLASS"] = "/opt/tljh/config/digits_class.json"
os.environ["DIGITS_ROLES"] = "/srv/digits/roles"
load_subconfig("/srv/digits/course_on_hub.py")  # noqa: F821 (JupyterHub gives it)
