"""What a JupyterHub must know about the course; loaded as part of jupyterhub_config.py, in the hub's process.

The same file serves Zero to JupyterHub, The Littlest JupyterHub and the test. It reads the class list that
``python -m coursework.hub enrol`` keeps, makes nbgrader's two groups of it, lets in who stands there, and gives each
server the settings of its owner's role. Environment variables of the hub's process say where things are:

DIGITS_CLASS: the class list (JSON); DIGITS_ROLES: the folder with the roles' settings, and DIGITS_BOOK: the one with
``coursework/isolated.py``, both as the single-user servers see them.
"""

import json
import os

c = get_config()  # noqa: F821 (the name comes from JupyterHub)

with open(os.environ.get("DIGITS_CLASS", "/usr/local/etc/jupyterhub/digits_class.json"), encoding="utf-8") as file:
    digits_class = json.load(file)
digits_roles = os.environ.get("DIGITS_ROLES", "/srv/digits/roles")
digits_course = digits_class["course"]
digits_people = {name: person for name, person in digits_class["people"].items() if not person.get("left")}
digits_teachers = sorted(name for name, person in digits_people.items() if person["role"] == "teacher")
digits_students = sorted(name for name, person in digits_people.items() if person["role"] == "student")

# nbgrader reads the course list of a person from these two groups (nbgrader.auth.JupyterHubAuthPlugin).
c.JupyterHub.load_groups = {
    f"formgrade-{digits_course}": {"users": digits_teachers},
    f"nbgrader-{digits_course}": {"users": digits_students},
}

# Nobody who is not on the list comes in, whatever the way of signing in; sharing servers stays off, as is the default.
c.Authenticator.allowed_users = set(digits_people)

# A teacher's list of courses asks for the hub's services: a formgrader that several teachers share would be one.
c.JupyterHub.load_roles = [
    {"name": "digits-teacher", "scopes": ["list:services"], "groups": [f"formgrade-{digits_course}"]},
]

# What a server may ask the hub in its owner's name: the usual two, and which groups its owner is in.
# A scope that its owner does not hold (a student's list:services) is left out by the hub.
c.Spawner.server_token_scopes = [
    "users:activity!user",
    "access:servers!server",
    "read:users:groups!user",
    "list:services",
]


def digits_before_start(spawner):
    """Give a server the settings of its owner's role, and in a cluster its owner's own user id."""
    person = digits_people.get(spawner.user.name)
    if person is None:
        raise RuntimeError(
            f"{spawner.user.name} is not in the class list: enrol the name (python -m coursework.hub enrol), restart the hub."
        )
    spawner.environment = {
        **spawner.environment,
        "JUPYTER_CONFIG_PATH": os.pathsep.join(os.path.join(digits_roles, one) for one in (person["role"], "everyone")),
        "NBGRADER_COURSE": digits_course,
    }
    if person["role"] == "teacher":  # where the course folder's settings find the sandbox for grading
        spawner.environment["DIGITS_BOOK"] = os.environ.get("DIGITS_BOOK", "/srv/digits")
    # Only a container's spawner has fs_gid. There every server runs as the same user unless told otherwise, and on a
    # shared exchange every student would own, hence read, every submission and every page of feedback.
    if hasattr(spawner, "fs_gid"):
        spawner.uid = person["uid"]
        spawner.gid = 100


c.Spawner.pre_spawn_hook = digits_before_start
