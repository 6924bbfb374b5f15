"""nbgrader's settings for everybody on the hub.

Two environment variables, so that the same file serves several courses and the test: NBGRADER_COURSE and NBGRADER_EXCHANGE.
"""

import os

from nbgrader.auth import JupyterHubAuthPlugin

c = get_config()  # noqa: F821 (the name comes from whoever loads this file)

c.CourseDirectory.course_id = os.environ.get("NBGRADER_COURSE", "digits")
c.Exchange.root = os.environ.get("NBGRADER_EXCHANGE", "/srv/nbgrader/exchange")

# Who may see the course is asked of the hub: members of the groups nbgrader-COURSE and formgrade-COURSE.
c.Authenticator.plugin_class = JupyterHubAuthPlugin

# A student who renamed the notebook is told at once, not when the marks come.
c.ExchangeSubmit.strict = True

# A submission may hold 20 MB in all, a file 10 MB (both are counted in kilobytes).
c.CourseDirectory.max_dir_size = 20_000
c.CourseDirectory.max_file_size = 10_000
