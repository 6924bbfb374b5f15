"""The drawing page's networks as a script: ``_static/draw/networks.js`` of the built site, from ``data/page_models``.

A page opened from disk may not read other files, so the records travel as a script that sets a variable. It is written
into a folder below ``_build``, which Sphinx then copies like any folder of static files.
"""

import json
from pathlib import Path

KEPT_OUT = ("code", "training")  # of use to whoever checks a record, not to a reader's browser


def networks_script(folder):
    """The text of networks.js: ``window.DigitsNetworks = {name: record, ...}``, "report" first, then by name.

    Raises
    ------
    ValueError
        If the folder holds no record, or a damaged one.
    """
    records = {}
    for path in sorted(Path(folder).glob("*.json"), key=lambda path: (path.stem != "report", path.stem)):
        if path.name.startswith(".") or ".partial" in path.name:
            continue
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            records[record["name"]] = {key: value for key, value in record.items() if key not in KEPT_OUT}
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged ({error!r}): make it again with make page-models") from None
    if not records:
        raise ValueError(f"there is no network in {folder}: make them with make page-models")
    content = json.dumps(records, separators=(",", ":"))
    return (
        "// Generated from data/page_models by tools/draw/page_networks.py.\n"
        f"'use strict';\nwindow.DigitsNetworks = {content};\n"
    )


def write_networks(app, config):
    """Write the script and have Sphinx copy it into the site's ``_static/draw``; a book without networks gets none."""
    if not (Path(app.srcdir) / "data" / "page_models").is_dir():
        return
    static = Path(app.outdir).parent / "page_networks"
    script = static / "draw" / "networks.js"
    text = networks_script(Path(app.srcdir) / "data" / "page_models")
    script.parent.mkdir(parents=True, exist_ok=True)
    if not script.is_file() or script.read_text(encoding="utf-8") != text:
        script.write_text(text, encoding="utf-8", newline="\n")
    config.html_static_path = [*config.html_static_path, str(static)]
