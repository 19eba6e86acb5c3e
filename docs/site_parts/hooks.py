"""What MkDocs calls while it builds these pages: version and date, links to the repository, formulas."""

import html
import re
import runpy
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.utils import get_build_date

ROOT = Path(__file__).parents[2]
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


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
    """Sets formulas in MathML, which browsers show without a script."""
    return FORMULA.sub(_as_mathml, content)


def _as_mathml(found):
    display = "block" if found[1] == "div" else "inline"
    return convert(html.unescape(found[2]).strip(), display=display)
