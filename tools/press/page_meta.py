"""What the outside sees of a page, and what stands at its foot.

sphinxext-opengraph writes the Open Graph data and sphinx-notfound-page the page for addresses that do not exist (_config.yml holds
their settings); what they need to know of this build and of each page they get from here. Ours are each page's description;
sitemap.xml and robots.txt once the site has an address (tools/press/address.py); the site's front door; and commit, date, edition
and versions for the footer.
"""

import datetime
import os
import platform
import re
import subprocess
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import quote, urlsplit

from docutils import nodes
from docutils.utils import new_document
from sphinxext.opengraph import get_tags, make_tag

from tools.press.address import site
from tools.press.check_site import pages_of_toc

LONGEST = 160  # characters of a description that search engines show
SHORTEST = 50
ICONS = {"alternate icon": "favicon.ico", "apple-touch-icon": "touch_icon.png"}
PICTURE = "_static/share.png"
PICTURE_SIZE = (1200, 630)
FIXED = {
    "search": "Search all chapters of the book, its glossary and its troubleshooting page for a word or a phrase.",
    "genindex": "Index of the book: every term that the glossary defines, in alphabetical order, with a link to its entry.",
}
# Packages that decide the results, as the footer calls them. On Linux the CPU build of TensorFlow has a name of its own.
PACKAGES = {"TensorFlow": ("tensorflow-cpu", "tensorflow"), "Keras": ("keras",), "scikit-learn": ("scikit-learn",)}


# ---------------------------------------------------------------- what was built, from what


def run_git(root, *arguments):
    """Return what git prints, stripped, or None if it cannot say."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def commit(root):
    """Return the short id of the commit that ``root`` holds ("0123abc", "0123abc with changes"), or None without git."""
    top = run_git(root, "rev-parse", "--show-toplevel")
    name = run_git(root, "rev-parse", "--short=7", "HEAD")
    if not name or not top or Path(top).resolve() != Path(root).resolve():
        return None  # no repository, no commit yet, or somebody else's repository around an unpacked copy
    changed = run_git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{name} with changes" if changed else name


def build_date():
    """Return today's date in UTC, year-month-day; SOURCE_DATE_EPOCH (seconds) stands in for today if it is set."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    moment = (
        datetime.datetime.fromtimestamp(int(seconds), datetime.UTC) if seconds else datetime.datetime.now(datetime.UTC)
    )
    return moment.strftime("%Y-%m-%d")


def versions():
    """Return "TensorFlow 2.20.0, Keras ..., Python ..." for the packages that decide the results."""
    found = []
    for label, names in PACKAGES.items():
        for name in names:
            try:
                found.append(f"{label} {version(name)}")
                break
            except PackageNotFoundError:
                continue
    return ", ".join([*found, f"Python {platform.python_version()}"])


def describe_build(build, app, config):
    """Put what the footer says into the configuration: when it changes, Sphinx writes all pages again, not just the edited ones."""
    name, date = commit(app.confdir), build_date()
    built = f"Last built from {name}, {date}" if name else f"Last built on {date}, outside a git checkout"
    config.html_context = {
        "default_mode": "auto",  # left empty, the theme complains on the console
        **config.html_context,
        "book_built": built,
        "book_edition": f"{build.edition} edition",
        "book_versions": versions(),
    }
    config.html_theme_options = {**config.html_theme_options, "logo": {"text": config.html_title or config.project}}
    address = site(app.confdir)
    config.html_baseurl = address or ""
    tell_opengraph(config, address)
    # Links on the page for wrong addresses begin at the site's root: the path of its address, or / while it has none.
    config.notfound_urls_prefix = urlsplit(address).path if address else "/"
    config.notfound_context = {"icon": icon(Path(app.confdir) / config.html_favicon)} if config.html_favicon else {}


def tell_opengraph(config, address):
    """Give sphinxext-opengraph the book's title, and what needs the site's address only if there is one."""
    config.ogp_site_name = escape(config.html_title or config.project)  # it escapes nothing but quotation marks
    config.ogp_site_url = address or ""
    if address:
        config.ogp_image = address + PICTURE
        size = zip(("width", "height"), map(str, PICTURE_SIZE), strict=True)
        config.ogp_custom_meta_tags = [
            *config.ogp_custom_meta_tags,
            *(make_tag(f"og:image:{side}", pixels) for side, pixels in size),
        ]


def icon(path):
    """Return an icon (SVG) as an address that holds all of it: it shows under any address, and from disk."""
    return "data:image/svg+xml," + quote(path.read_text(encoding="utf-8"))


# ---------------------------------------------------------------- the head of a page


def plain_text(paragraph):
    """Return the words of a paragraph, without its citations and formulas' markup."""
    copy = paragraph.deepcopy()
    for node in list(copy.findall(nodes.inline)):
        if "bibtex-citation" in node["classes"]:
            node.parent.remove(node)
    text = re.sub(r"\s+", " ", copy.astext()).strip()
    return re.sub(r"\(\s*[:,;]?\s*", "(", re.sub(r"\s+([.,;:)])", r"\1", text)).replace("()", "").replace("  ", " ")


def shorten(text):
    """Return as many whole sentences of ``text`` as fit into a description, or its beginning, cut between two words."""
    description = ""
    for sentence in re.findall(r".+?[.!?](?=\s|$)|.+$", text):
        longer = f"{description} {sentence.strip()}".strip()
        if len(longer) > LONGEST:
            break
        description = longer
    if len(description) >= SHORTEST or len(text) <= LONGEST:
        return description or text
    return text[: LONGEST - 1].rsplit(" ", 1)[0].rstrip(",;:(") + "…"


def description_of(doctree):
    """Return the description of a page: the sentences with which its text begins; "" if it has no text (or is None)."""
    if doctree is None:
        return ""
    texts = (plain_text(one) for one in doctree.findall(nodes.paragraph) if isinstance(one.parent, nodes.section))
    text = ""
    for one in texts:
        text = f"{text} {one}".strip()
        if len(text) >= SHORTEST:
            break
    return shorten(text)


def add_head(app, pagename, templatename, context, doctree):
    """Write description and icons into the head; tell sphinxext-opengraph, which comes after this, what to say of the page.

    The description is ours: the extension cuts a page's text inside a word or a sentence, and takes no notice for Open Graph of one
    that stands in a page's front matter.
    """
    metatags = context.get("metatags", "")
    written = re.search(r'<meta content="([^"]*)" name="description"', metatags)  # html_meta in a page's front matter
    description = written[1] if written else escape(FIXED.get(pagename) or description_of(doctree))
    if description and not written:
        metatags += "\n" + make_tag("description", description, "name")
    own = {"og:description": description} if description else {}
    if pagename == app.config.root_doc:
        own["og:type"] = "website"
        context["docstitle"] = ""  # it would stand twice in the page's title
    context["meta"] = {**(context.get("meta") or {}), **own}
    for relation, file in ICONS.items():  # beside the SVG that html_favicon names
        metatags += f'\n<link rel="{relation}" href="{context["pathto"](f"_static/{file}", 1)}" />'
    context["metatags"] = metatags + "\n"


def finish_head(app, pagename, templatename, context, doctree):
    """Put right what sphinxext-opengraph has written, or would not write."""
    if doctree is None and templatename != app.config.notfound_template:  # it passes over the pages that Sphinx makes
        context["metatags"] += get_tags(
            {**context, "title": context.get("title") or context["docstitle"]},
            new_document(pagename),
            srcdir=app.srcdir,
            outdir=app.outdir,
            config=app.config,
            builder=app.builder,
            env=app.env,
        )
    if not app.config.ogp_site_url:  # it would name the page's file, which is no address
        context["metatags"] = re.sub(r'<meta property="og:url"[^>]*>\n?', "", context["metatags"])


# ---------------------------------------------------------------- files of the site


def write_files(app, exception):
    """Write the site's first page, which leads to the book's; and with an address, sitemap.xml and robots.txt.

    sphinx-sitemap would list the pages that this build wrote: after an edit of one chapter, that chapter alone. Without an address it
    warns, which fails a build, and leaves an old sitemap.xml where it is.
    """
    if exception is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    address = site(app.confdir)
    (out / "index.html").write_text(front_door(app), encoding="utf-8")
    for name in ("sitemap.xml", "robots.txt"):
        (out / name).unlink(missing_ok=True)
    if address:
        pages = [address + app.builder.get_target_uri(one) for one in pages_of_toc(Path(app.srcdir))]
        lines = [f"  <url><loc>{escape(page)}</loc></url>" for page in pages]
        (out / "sitemap.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
            + "\n".join(lines)
            + "\n</urlset>\n",
            encoding="utf-8",
        )
        (out / "robots.txt").write_text(f"User-agent: *\nAllow: /\nSitemap: {address}sitemap.xml\n", encoding="utf-8")


def front_door(app):
    """Return index.html: it leads to the book's first page at once, and has a title for those who wait or whose browser stays."""
    target = app.builder.get_target_uri(app.config.root_doc)
    address = site(app.confdir)
    canonical = f'<link rel="canonical" href="{escape(address + target)}">\n' if address else ""
    title = escape(app.config.html_title or app.config.project)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta http-equiv="refresh" content="0; url={target}">\n'
        f'<link rel="icon" type="image/svg+xml" href="_static/favicon.svg">\n{canonical}</head>\n<body>\n<main>\n'
        f'<h1>{title}</h1>\n<p><a href="{target}">To the first page</a></p>\n</main>\n</body>\n</html>\n'
    )
