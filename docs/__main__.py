"""``python -m docs``: write every page that is made from the code."""

from pathlib import Path

from .operations import document

PATH = Path(__file__).with_name("operations.md")
PATH.write_text(document(), encoding="utf-8")
print(f"wrote {PATH}")
