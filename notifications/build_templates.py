"""Compiles the layout of the messages: `python -m notifications.build_templates` (needs the development packages)."""

from pathlib import Path

import mjml

FOLDER = Path(__file__).parent / "templates"
SOURCE = FOLDER / "layout.mjml"
TARGET = FOLDER / "layout.html"


def compiled() -> str:
    """Give the HTML layout, still with its Jinja2 tags."""
    # Without `fonts={}` it would load a font named in the layout from a third party, in every family's mail program.
    return mjml.mjml2html(SOURCE.read_text(encoding="utf-8"), disable_comments=True, fonts={}) + "\n"


if __name__ == "__main__":
    TARGET.write_text(compiled(), encoding="utf-8")
