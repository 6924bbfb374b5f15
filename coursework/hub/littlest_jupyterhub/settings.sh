#!/bin/bash
# The Littlest JupyterHub: the settings of a course. Run as root on the machine where it is installed, in the repository:
#
#     bash coursework/hub/littlest_jupyterhub/settings.sh hub.example.org teacher@example.org class.json
#
# Lines that end in "# fit" are written by python -m coursework.hub fit, from measured.json.
set -euo pipefail
domain="$1" email="$2" class="$3"
here="$(cd "$(dirname "$0")/.." && pwd)"

# The roles' settings, read by every server; the class list, read by the hub alone.
install -d -m 755 /srv/digits /srv/digits/roles
cp -r "$here/roles/." /srv/digits/roles/
chmod -R a+rX /srv/digits/roles
# What a teacher's server grades with, without the sources of the assignments.
for file in __init__ isolated make/__init__ make/notebooks grade/__init__ grade/isolated sandbox/__init__ sandbox/outside sandbox/inside sandbox/memory; do
    install -D -m 644 "$here/../$file.py" /srv/digits/coursework/$file.py
done
chmod 755 /srv/digits/coursework /srv/digits/coursework/*/
install -m 644 "$here/course_on_hub.py" /srv/digits/course_on_hub.py
install -m 600 "$class" /opt/tljh/config/digits_class.json
install -m 644 "$here/littlest_jupyterhub/digits_course.py" /opt/tljh/config/jupyterhub_config.d/digits_course.py

# The exchange: everybody may write, only its owner removes a course.
install -d -m 755 /srv/nbgrader
install -d -m 1777 /srv/nbgrader/exchange

tljh-config set user_environment.default_app jupyterlab
tljh-config set limits.memory 2560M  # fit
tljh-config set limits.cpu 2
tljh-config set services.cull.timeout 3600
tljh-config set https.enabled true
tljh-config set https.letsencrypt.email "$email"
tljh-config add-item https.letsencrypt.domains "$domain"
tljh-config reload hub
tljh-config reload proxy
