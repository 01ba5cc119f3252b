"""The tags around what the model reads but the user did not say, and the one rule that keeps them genuine.

The rule: in what a converter makes, one of these tags occurs only where the converter wrote it. Every text from
elsewhere (what people type and select, names of files, answers, widgets, results of tools, and the assistant's own
words) goes through :func:`escape_tags` first, which turns the bracket of anything that reads like such a tag into
``&lt;``.

Why not roles instead: a message of the role ``developer`` cannot be imitated either, but chat templates of many open
models refuse it, or refuse it after the first message; and the content of widgets, answers and results of tools is
the user's and the web's, which that role would give the developer's authority. Hidden context, which is the
application's own word, can have it: ``ThreadItemConverter(context_role="developer")``.

The names are none that occur in code, as ``<Task>`` and ``<Widget>`` do, so that escaping never touches honest text.
"""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["TAGS", "Tag", "escape_tags", "tagged"]

Tag = Literal[
    "HiddenContext",
    "ShownTask",
    "ShownWidget",
    "StructuredInput",
    "QuotedText",
    "MentionedEntities",
    "CitedSources",
    "AttachedFile",
]

TAGS: tuple[Tag, ...] = (
    "HiddenContext",
    "ShownTask",
    "ShownWidget",
    "StructuredInput",
    "QuotedText",
    "MentionedEntities",
    "CitedSources",
    "AttachedFile",
)

_GAP = r"(?:[^\S\n]|[_\-\u00ad\u200b-\u200f\u2060-\u2064\ufeff])*+"
"""What may stand between the letters without the eye, or a model, reading another word. Possessive: linear time."""


def _imitation() -> re.Pattern[str]:
    names = "|".join(_GAP.join(tag) for tag in TAGS)
    return re.compile(rf"[<＜﹤‹〈⟨](?={_GAP}[/／]?{_GAP}(?:{names})(?![\w-]))", re.IGNORECASE)


_IMITATION = _imitation()


def escape_tags(text: str) -> str:
    """``text`` in which nothing reads like one of :data:`TAGS`; equal to ``text`` where nothing does.

    Upper and lower case are the same, and so are a name with spaces, hyphens, underscores or invisible characters in
    it.
    """
    return _IMITATION.sub("&lt;", text)


def tagged(tag: Tag, text: str, **attributes: str) -> str:
    """``text``, escaped, on lines of its own between the tags. Attributes are escaped and quoted."""
    inside = "".join(f" {name}={_quoted(value)}" for name, value in attributes.items())
    return f"<{tag}{inside}>\n{escape_tags(text)}\n</{tag}>"


def _quoted(value: str) -> str:
    kept = escape_tags(" ".join(value.split()).replace('"', "'"))
    return f'"{kept}"'
