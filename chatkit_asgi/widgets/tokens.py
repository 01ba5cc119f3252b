"""What widget props are made of (widgets.md section 2): closed sets of words, and the small objects.

The small objects are typed dicts: they are written as they are given. ``num`` of the specification, a number that may
have a fraction, is :data:`Number`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

from ..actions import ActionConfig
from ..icons import IconName

__all__ = [
    "ActionProp",
    "Alignment",
    "Border",
    "BorderStyle",
    "Borders",
    "CaptionSize",
    "CardAction",
    "ControlSize",
    "ControlVariant",
    "CurveType",
    "EditableProps",
    "GutterSize",
    "IconSize",
    "Justification",
    "MinMax",
    "Number",
    "RadioOption",
    "RadiusValue",
    "SelectOption",
    "Spacing",
    "TextAlign",
    "TextSize",
    "ThemeColor",
    "TitleSize",
    "Weight",
    "WidgetIcon",
    "WidgetStatus",
    "WidgetStatusWithFavicon",
    "WidgetStatusWithIcon",
    "Wrap",
    "XAxisConfig",
]

if TYPE_CHECKING:
    ActionProp: TypeAlias = ActionConfig | dict[str, Any]
    """An action inside a widget; a dict becomes the struct when the widget is made."""
else:
    ActionProp = ActionConfig

Number = int | float

Alignment = Literal["start", "center", "end", "baseline", "stretch"]
Justification = Literal["start", "center", "end", "between", "around", "evenly", "stretch"]
TextAlign = Literal["start", "center", "end"]
TextSize = Literal["xs", "sm", "md", "lg", "xl"]
TitleSize = Literal["sm", "md", "lg", "xl", "2xl", "3xl", "4xl", "5xl"]
CaptionSize = Literal["sm", "md", "lg"]
IconSize = Literal["xs", "sm", "md", "lg", "xl", "2xl", "3xl"]
ControlVariant = Literal["solid", "soft", "outline", "ghost"]
ControlSize = Literal["3xs", "2xs", "xs", "sm", "md", "lg", "xl", "2xl", "3xl"]
GutterSize = Literal["2xs", "xs", "sm", "md", "lg", "xl"]
RadiusValue = Literal[
    "2xs", "xs", "sm", "md", "lg", "xl", "2xl", "3xl", "4xl", "full", "100%", "none"
]
Weight = Literal["normal", "medium", "semibold", "bold"]
Wrap = Literal["nowrap", "wrap", "wrap-reverse"]
BorderStyle = Literal["solid", "dashed", "dotted", "double", "groove", "ridge", "inset", "outset"]
CurveType = Literal[
    "basis",
    "basisClosed",
    "basisOpen",
    "bumpX",
    "bumpY",
    "bump",
    "linear",
    "linearClosed",
    "natural",
    "monotoneX",
    "monotoneY",
    "monotone",
    "step",
    "stepBefore",
    "stepAfter",
]
WidgetIcon = IconName
"""An icon; a name that the client does not know is passed on as it is."""


class ThemeColor(TypedDict):
    """A color for each theme."""

    dark: str
    light: str


class Spacing(TypedDict):
    """Padding or margin by side, in spacing units or CSS; ``x`` and ``y`` mean both sides of an axis."""

    top: NotRequired[Number | str]
    right: NotRequired[Number | str]
    bottom: NotRequired[Number | str]
    left: NotRequired[Number | str]
    x: NotRequired[Number | str]
    y: NotRequired[Number | str]


class Border(TypedDict):
    """One border: ``size`` in pixels."""

    size: Number
    color: NotRequired[str | ThemeColor]
    style: NotRequired[BorderStyle]


class Borders(TypedDict):
    """Borders by side; a number is a size in pixels."""

    top: NotRequired[Number | Border]
    right: NotRequired[Number | Border]
    bottom: NotRequired[Number | Border]
    left: NotRequired[Number | Border]
    x: NotRequired[Number | Border]
    y: NotRequired[Number | Border]


class MinMax(TypedDict):
    """Inclusive bounds."""

    min: NotRequired[Number]
    max: NotRequired[Number]


class EditableProps(TypedDict):
    """Makes a Text a form field of that ``name``."""

    name: str
    autoFocus: NotRequired[bool]
    autoSelect: NotRequired[bool]
    autoComplete: NotRequired[str]
    allowAutofillExtensions: NotRequired[bool]
    pattern: NotRequired[str]
    placeholder: NotRequired[str]
    required: NotRequired[bool]


class WidgetStatusWithFavicon(TypedDict):
    """A root's header line with an image from a URL; ``frame`` draws a frame around it."""

    text: str
    favicon: NotRequired[str]
    frame: NotRequired[bool]


class WidgetStatusWithIcon(TypedDict):
    """A root's header line with an icon."""

    text: str
    icon: NotRequired[WidgetIcon]


WidgetStatus = WidgetStatusWithFavicon | WidgetStatusWithIcon


class CardAction(TypedDict):
    """A button in a Card's footer."""

    label: str
    action: ActionProp


class SelectOption(TypedDict):
    """One choice of a Select."""

    value: str
    label: str
    disabled: NotRequired[bool]
    description: NotRequired[str]


class RadioOption(TypedDict):
    """One choice of a RadioGroup."""

    label: str
    value: str
    disabled: NotRequired[bool]


class XAxisConfig(TypedDict):
    """The horizontal axis of a Chart: the data key, and labels that replace its values."""

    dataKey: str
    hide: NotRequired[bool]
    labels: NotRequired[dict[str, str]]
