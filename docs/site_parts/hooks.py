"""What MkDocs calls while it builds these pages: version, date, links, formulas, pictures."""

import html
import re
import runpy
import struct
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.utils import get_build_date

ROOT = Path(__file__).parents[2]
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)

PICTURE = re.compile(r'<img [^>]*src="([^":]+\.png)"')
# Plots up to this width shrink to the screen of a phone; wider ones scroll there, to stay legible.
PHONE_INCHES = 6.8
# What plots of this project have unless their file says otherwise.
USUAL_DPI = 120
METRES_PER_INCH = 0.0254


def on_config(config):
    """Puts version, date and the place for problems into the footer of all pages."""
    version = runpy.run_path(str(ROOT / "pyshac" / "version.py"))["__version__"]
    parts = [f"PySHAC {version}", f"built on {get_build_date()}"]
    if config.repo_url:
        parts.append(f'<a href="{html.escape(config.repo_url)}/issues">Report a problem</a>')
    config.copyright = " · ".join(parts)
    return config


def on_page_markdown(markdown, page, config, files):
    """Names the repository where the page has a place for it."""
    return markdown.replace("REPOSITORY", config.repo_url) if config.repo_url else markdown


def on_page_content(content, page, config, files):
    """Sets formulas in MathML, which needs no script, and sizes pictures."""
    folder = Path(page.file.abs_src_path).parent
    content = PICTURE.sub(lambda found: _with_inches(found, folder), content)
    return FORMULA.sub(_as_mathml, content)


def _as_mathml(found):
    display = "block" if found[1] == "div" else "inline"
    return convert(html.unescape(found[2]).strip(), display=display)


def _with_inches(found, folder):
    """Tells the style sheet how wide a picture is meant to be, whatever its resolution."""
    inches = _inches((folder / found[1]).read_bytes())
    kind = "wide-plot" if inches > PHONE_INCHES else "plot"
    return f'{found[0]} class="{kind}" style="--inches: {inches:.2f}"'


def _inches(png):
    """Returns how wide a picture is, from the contents of its file."""
    (pixels,) = struct.unpack(">I", png[16:20])
    place = png.find(b"pHYs", 0, 4096)
    (per_metre,) = struct.unpack(">I", png[place + 4 : place + 8]) if place > 0 else (0,)
    return pixels / (per_metre * METRES_PER_INCH or USUAL_DPI)
