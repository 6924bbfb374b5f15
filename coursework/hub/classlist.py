"""The class list of a course on JupyterHub: names, roles and user ids, and the files made from it.

    python -m coursework.hub enrol class.json --teacher carla --student anna ben
    python -m coursework.hub enrol class.json --students-from names.txt
    python -m coursework.hub enrol class.json --leaves ben

A person keeps the user id once given, also after leaving, so that files never change their owner.
"""

import json
import re
from pathlib import Path

FIRST_UID = 20_001
LAST_UID = 59_999  # Debian's ordinary users end here
USERS_GROUP = 100  # the group "users" of Debian, and the chart's fsGid
NAME = re.compile(r"[a-z_][a-z0-9_.@-]{0,31}")
# The accounts that programs in the image expect beside the people's.
SYSTEM = (
    "root:x:0:0:root:/root:/bin/bash",
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin",
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
    "jovyan:x:1000:100:jovyan:/home/jovyan:/bin/bash",
)
TAKEN = {line.split(":")[0] for line in SYSTEM}


class ClassError(Exception):
    """The class list cannot be used; the message names the thing, the fault and the cure."""


def read(path):
    """Return the class list in ``path``: {"course": str, "people": {name: {"role": str, "uid": int}}}; a new one if there is none."""
    path = Path(path)
    if not path.exists():
        return {"course": "digits", "people": {}}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        people = found["people"]
        uids = [person["uid"] for person in people.values()]
        roles = {person["role"] for person in people.values()}
        course = found["course"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ClassError(
            f"The class list {path} cannot be read ({error!r}): repair it, or take the copy before the last change."
        ) from error
    if len(set(uids)) < len(uids):
        raise ClassError(
            f"In the class list {path} two people have the same uid: give each one of its own, that nobody had before."
        )
    if not roles <= {"teacher", "student"}:
        raise ClassError(f"The class list {path} has the roles {sorted(roles)}: only teacher and student are known.")
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", str(course)):
        raise ClassError(
            f"The course in {path} is called {course!r}: take letters, digits, '_', '.' and '-' alone, for it names a folder."
        )
    return found


def enrol(listed, teachers=(), students=(), leaves=()):
    """Return a copy of the class list with people added, each with the next free uid, and those who leave marked.

    Raises ClassError for a name that no user of a Unix machine may have, or that is enrolled in another role.
    """
    people = {name: dict(person) for name, person in listed["people"].items()}
    for role, names in (("teacher", teachers), ("student", students)):
        for name in names:
            if not NAME.fullmatch(name) or name in TAKEN:
                raise ClassError(
                    f"The name {name!r} cannot be enrolled: it must be the name with which the hub lets the person in, "
                    "begin with a small letter, and hold at most 32 small letters, digits and _ . @ -, and be no system account."
                )
            if name in people:
                if people[name]["role"] != role:
                    raise ClassError(
                        f"{name} is enrolled as {people[name]['role']}: one person, one role; take a second name."
                    )
                people[name].pop("left", None)
                continue
            uid = max([FIRST_UID - 1, *(person["uid"] for person in people.values())]) + 1
            if uid > LAST_UID:
                raise ClassError(f"No user id up to {LAST_UID} is free: begin a new class list for the next course.")
            people[name] = {"role": role, "uid": uid}
    for name in leaves:
        if name not in people:
            raise ClassError(f"{name} cannot leave: nobody of that name is in the class list.")
        people[name]["left"] = True
    return {**listed, "people": people}


def passwd(listed, home="/home/jovyan"):
    """Return the text of /etc/passwd for the single-user servers; ``home`` may hold {name}.

    nbgrader takes a submission's name from here, and checks that the owner of a collected folder is who it claims to be.
    Those who left stay, so that their files keep a name.
    """
    lines = [*SYSTEM]
    lines += [
        f"{name}:x:{person['uid']}:{USERS_GROUP}:{name}:{home.format(name=name)}:/bin/bash"
        for name, person in sorted(listed["people"].items(), key=lambda item: item[1]["uid"])
    ]
    return "\n".join(lines) + "\n"


def helm_values(listed):
    """Return the Helm values that carry the class: the list for the hub, /etc/passwd for the servers."""
    return {
        "hub": {
            "extraFiles": {"digits_class": {"mountPath": "/usr/local/etc/jupyterhub/digits_class.json", "data": listed}}
        },
        "singleuser": {"extraFiles": {"passwd": {"mountPath": "/etc/passwd", "stringData": passwd(listed)}}},
    }
