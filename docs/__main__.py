"""``python -m docs``: write every page that is made from the code."""

from pathlib import Path

from . import distributions, operations

for page in (operations, distributions):
    path = Path(__file__).with_name(f"{page.__name__.rpartition('.')[2]}.md")
    path.write_text(page.document(), encoding="utf-8")
    print(f"wrote {path}")
