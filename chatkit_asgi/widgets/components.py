"""Typed components and roots (widgets.md sections 3 and 4), with the prop names of the wire.

Constructors check nothing, as everywhere in this library: a type checker does. Children may be typed components, open
ones and plain dicts in any mixture, and are kept as they are; actions and series given as dicts become structs, so that
their defaults are written. ``model_validate`` does check, and drops props that it does not know; to keep them, stay
with the open form, :class:`~chatkit_asgi.widgets.DynamicWidgetRoot`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeAlias, cast

from .._base import PydanticUnion, Wire, convert, pydantic_schema
from ..actions import ActionConfig
from .dynamic import (
    BasicRoot,
    DynamicWidgetComponent,
    DynamicWidgetRoot,
    Widget,
    as_component,
    as_root,
    open_children,
    without_nulls,
)
from .tokens import (
    ActionProp,
    Alignment,
    Border,
    Borders,
    CaptionSize,
    CardAction,
    ControlSize,
    ControlVariant,
    CurveType,
    EditableProps,
    GutterSize,
    IconSize,
    Justification,
    Number,
    RadioOption,
    RadiusValue,
    SelectOption,
    Spacing,
    TextAlign,
    TextSize,
    ThemeColor,
    TitleSize,
    Weight,
    WidgetIcon,
    WidgetStatus,
    Wrap,
    XAxisConfig,
)

__all__ = [
    "AreaSeries",
    "Badge",
    "BarSeries",
    "Basic",
    "Box",
    "BoxBase",
    "Button",
    "Caption",
    "Card",
    "Chart",
    "Checkbox",
    "Col",
    "DatePicker",
    "Divider",
    "Form",
    "Icon",
    "Image",
    "Input",
    "Label",
    "LineSeries",
    "ListView",
    "ListViewItem",
    "Markdown",
    "RadioGroup",
    "Row",
    "Select",
    "Series",
    "Spacer",
    "StrictWidgetComponent",
    "StrictWidgetRoot",
    "Table",
    "TableCell",
    "TableRow",
    "Text",
    "Textarea",
    "Title",
    "Transition",
    "WidgetComponent",
    "WidgetComponentBase",
    "WidgetRoot",
]

if TYPE_CHECKING:
    Child: TypeAlias = "WidgetComponent"
    Children: TypeAlias = "list[WidgetComponent]"
    Items: TypeAlias = "list[ListViewItem | DynamicWidgetComponent | dict[str, Any]]"
    TableRows: TypeAlias = "list[TableRow | DynamicWidgetComponent | dict[str, Any]]"
    TableCells: TypeAlias = "list[TableCell | DynamicWidgetComponent | dict[str, Any]]"
    BasicChildren: TypeAlias = "list[WidgetComponent | WidgetRoot]"
    Date: TypeAlias = datetime | str
    Status: TypeAlias = WidgetStatus
    BorderProp: TypeAlias = Number | Border | Borders
else:
    # What msgspec sees: it has no unions of objects that it cannot tell apart, and nothing in a child is its business.
    Child = Date = Any
    Children = Items = TableRows = TableCells = BasicChildren = list[Any]
    Status = dict[str, Any]
    BorderProp = Number | dict[str, Any]

Color: TypeAlias = str | ThemeColor
"""A token, a primitive color such as ``red-100``, a CSS color, or one color for each theme."""
Size: TypeAlias = Number | str
"""Pixels (spacing units for gaps and spacing), or CSS."""
Space: TypeAlias = Number | str | Spacing
Theme: TypeAlias = Literal["light", "dark"]
Direction: TypeAlias = Literal["row", "col"]


class WidgetComponentBase(Widget, Wire):
    """What every component and root has."""

    key: str | None = None
    """Identity in a list."""
    id: str | None = None
    """Must stay the same over updates; text can only stream into a component that has one."""

    def __eq__(self, other: object) -> bool:
        """Also equal to the open widget that is written the same: what a store gives back is open."""
        if isinstance(other, dict):
            props: dict[str, Any] = cast("Any", other)
            return bool(self.model_dump(mode="json") == without_nulls(props))
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        equal: Any = self.__eq__(other)  # a struct has a word of its own for "not equal"
        return equal if equal is NotImplemented else not equal

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """Build from a dict; children become open components.

        Raises:
            msgspec.ValidationError: ``obj`` does not fit; the message carries the path.
        """
        if isinstance(obj, cls):
            return obj
        built: Self = _opened(convert(obj, cls))
        return built

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **_: Any) -> Self:
        """Build from JSON text; children become open components.

        Raises:
            msgspec.DecodeError: Not JSON, or JSON that does not fit (``msgspec.ValidationError``).
        """
        built: Self = _opened(super().model_validate_json(json_data))
        return built


def _opened(component: Any) -> Any:
    """``component`` with its plain children opened."""
    if (children := getattr(component, "children", None)) is not None:
        component.children = open_children(children)
    return component


class _Acting(WidgetComponentBase):
    """A component with an action: one given as a dict becomes a struct, so that its defaults are written."""

    _action: ClassVar[str] = "onChangeAction"

    def __post_init__(self) -> None:
        if type(action := getattr(self, self._action)) is dict:
            setattr(self, self._action, convert(action, ActionConfig))


class _Holding(WidgetComponentBase):
    """A component with children: the plain and open ones lose their nulls when they come in, so that a typed tree
    has none and is written in one go."""

    def __post_init__(self) -> None:
        given: Any = cast("Any", self).children
        children: list[Any] = cast("Any", given if type(given) is list else [given])
        if any(issubclass(kind, dict) for kind in set(map(type, children))):
            cleaned = [
                without_nulls(child) if isinstance(child, dict) else child for child in children
            ]
            cast("Any", self).children = cleaned if children is given else cleaned[0]


class _HoldingAndActing(_Holding, _Acting):
    """Both."""

    def __post_init__(self) -> None:
        _Holding.__post_init__(self)
        _Acting.__post_init__(self)


class Text(WidgetComponentBase):
    """Plain text."""

    type: Literal["Text"] = "Text"
    value: str
    streaming: bool | None = None
    """More text is coming."""
    italic: bool | None = None
    lineThrough: bool | None = None
    color: Color | None = None
    weight: Weight | None = None
    width: Size | None = None
    size: TextSize | None = None
    textAlign: TextAlign | None = None
    truncate: bool | None = None
    minLines: Number | None = None
    maxLines: Number | None = None
    editable: Literal[False] | EditableProps | None = None
    """Makes the text a form field."""


class Markdown(WidgetComponentBase):
    """Markdown text."""

    type: Literal["Markdown"] = "Markdown"
    value: str
    streaming: bool | None = None
    """More text is coming."""


class Title(WidgetComponentBase):
    """A headline."""

    type: Literal["Title"] = "Title"
    value: str
    color: Color | None = None
    weight: Weight | None = None
    size: TitleSize | None = None
    textAlign: TextAlign | None = None
    truncate: bool | None = None
    maxLines: Number | None = None


class Caption(WidgetComponentBase):
    """Small text below something."""

    type: Literal["Caption"] = "Caption"
    value: str
    color: Color | None = None
    weight: Weight | None = None
    size: CaptionSize | None = None
    textAlign: TextAlign | None = None
    truncate: bool | None = None
    maxLines: Number | None = None


class Badge(WidgetComponentBase):
    """A small label that marks a state or a category."""

    type: Literal["Badge"] = "Badge"
    label: str
    color: Literal["secondary", "success", "danger", "warning", "info", "discovery"] | None = None
    variant: Literal["solid", "soft", "outline"] | None = None
    size: Literal["sm", "md", "lg"] | None = None
    pill: bool | None = None


class BoxBase(_Holding):
    """The props of the layout family."""

    children: Children | None = None
    align: Alignment | None = None
    justify: Justification | None = None
    wrap: Wrap | None = None
    flex: Size | None = None
    gap: Size | None = None
    height: Size | None = None
    width: Size | None = None
    size: Size | None = None
    minHeight: Size | None = None
    minWidth: Size | None = None
    minSize: Size | None = None
    maxHeight: Size | None = None
    maxWidth: Size | None = None
    maxSize: Size | None = None
    padding: Space | None = None
    margin: Space | None = None
    border: BorderProp | None = None
    radius: RadiusValue | None = None
    background: Color | None = None
    aspectRatio: Size | None = None


class Box(BoxBase):
    """A flexible box."""

    type: Literal["Box"] = "Box"
    direction: Direction | None = None


class Row(BoxBase):
    """A horizontal box."""

    type: Literal["Row"] = "Row"


class Col(BoxBase):
    """A vertical box."""

    type: Literal["Col"] = "Col"


class Form(BoxBase, _HoldingAndActing):
    """A box whose controls become the payload of every action that starts in it."""

    _action = "onSubmitAction"

    type: Literal["Form"] = "Form"
    onSubmitAction: ActionProp | None = None
    direction: Direction | None = None


class Divider(WidgetComponentBase):
    """A line between things; ``flush`` lets it reach the edges."""

    type: Literal["Divider"] = "Divider"
    color: Color | None = None
    size: Size | None = None
    spacing: Size | None = None
    flush: bool | None = None


class Icon(WidgetComponentBase):
    """An icon."""

    type: Literal["Icon"] = "Icon"
    name: WidgetIcon
    color: Color | None = None
    size: IconSize | None = None


class Image(WidgetComponentBase):
    """An image by its URL."""

    type: Literal["Image"] = "Image"
    src: str
    alt: str | None = None
    fit: Literal["cover", "contain", "fill", "scale-down", "none"] | None = None
    position: (
        Literal[
            "top left",
            "top",
            "top right",
            "left",
            "center",
            "right",
            "bottom left",
            "bottom",
            "bottom right",
        ]
        | None
    ) = None
    radius: RadiusValue | None = None
    frame: bool | None = None
    flush: bool | None = None
    height: Size | None = None
    width: Size | None = None
    size: Size | None = None
    minHeight: Size | None = None
    minWidth: Size | None = None
    minSize: Size | None = None
    maxHeight: Size | None = None
    maxWidth: Size | None = None
    maxSize: Size | None = None
    margin: Space | None = None
    background: Color | None = None
    aspectRatio: Size | None = None
    flex: Size | None = None


class Button(_Acting):
    """A button; ``submit`` submits the form around it."""

    _action = "onClickAction"

    type: Literal["Button"] = "Button"
    submit: bool | None = None
    label: str | None = None
    onClickAction: ActionProp | None = None
    iconStart: WidgetIcon | None = None
    iconEnd: WidgetIcon | None = None
    style: Literal["primary", "secondary"] | None = None
    iconSize: Literal["sm", "md", "lg", "xl", "2xl"] | None = None
    color: (
        Literal[
            "primary", "secondary", "info", "discovery", "success", "caution", "warning", "danger"
        ]
        | None
    ) = None
    variant: ControlVariant | None = None
    size: ControlSize | None = None
    pill: bool | None = None
    uniform: bool | None = None
    block: bool | None = None
    disabled: bool | None = None


class Spacer(WidgetComponentBase):
    """Takes the room that is left."""

    type: Literal["Spacer"] = "Spacer"
    minSize: Size | None = None


class Select(_Acting):
    """A form control: one of several options."""

    type: Literal["Select"] = "Select"
    name: str
    options: list[SelectOption]
    onChangeAction: ActionProp | None = None
    placeholder: str | None = None
    defaultValue: str | None = None
    variant: ControlVariant | None = None
    size: ControlSize | None = None
    pill: bool | None = None
    block: bool | None = None
    clearable: bool | None = None
    disabled: bool | None = None
    searchable: bool | None = None
    """By default the client lets people search in more than 15 options."""


class DatePicker(_Acting):
    """A form control: a date. Dates are datetimes or ISO strings, written without an offset when they have none."""

    type: Literal["DatePicker"] = "DatePicker"
    name: str
    onChangeAction: ActionProp | None = None
    placeholder: str | None = None
    defaultValue: Date | None = None
    min: Date | None = None
    max: Date | None = None
    variant: ControlVariant | None = None
    size: ControlSize | None = None
    side: Literal["top", "bottom", "left", "right"] | None = None
    align: Literal["start", "center", "end"] | None = None
    pill: bool | None = None
    block: bool | None = None
    clearable: bool | None = None
    disabled: bool | None = None


class Checkbox(_Acting):
    """A form control: yes or no."""

    type: Literal["Checkbox"] = "Checkbox"
    name: str
    label: str | None = None
    defaultChecked: bool | None = None
    onChangeAction: ActionProp | None = None
    disabled: bool | None = None
    required: bool | None = None


class Input(WidgetComponentBase):
    """A form control: a line of text."""

    type: Literal["Input"] = "Input"
    name: str
    inputType: Literal["number", "email", "text", "password", "tel", "url"] | None = None
    defaultValue: str | None = None
    required: bool | None = None
    pattern: str | None = None
    placeholder: str | None = None
    allowAutofillExtensions: bool | None = None
    autoSelect: bool | None = None
    autoFocus: bool | None = None
    disabled: bool | None = None
    variant: Literal["soft", "outline"] | None = None
    size: ControlSize | None = None
    gutterSize: GutterSize | None = None
    pill: bool | None = None


class Textarea(WidgetComponentBase):
    """A form control: several lines of text."""

    type: Literal["Textarea"] = "Textarea"
    name: str
    defaultValue: str | None = None
    required: bool | None = None
    pattern: str | None = None
    placeholder: str | None = None
    autoSelect: bool | None = None
    autoFocus: bool | None = None
    disabled: bool | None = None
    variant: Literal["soft", "outline"] | None = None
    size: ControlSize | None = None
    gutterSize: GutterSize | None = None
    rows: Number | None = None
    autoResize: bool | None = None
    maxRows: Number | None = None
    allowAutofillExtensions: bool | None = None


class RadioGroup(_Acting):
    """A form control: one of a few options, all visible."""

    type: Literal["RadioGroup"] = "RadioGroup"
    name: str
    options: list[RadioOption] | None = None
    ariaLabel: str | None = None
    onChangeAction: ActionProp | None = None
    defaultValue: str | None = None
    direction: Direction | None = None
    disabled: bool | None = None
    required: bool | None = None


class Label(WidgetComponentBase):
    """The label of the form control named ``fieldName``."""

    type: Literal["Label"] = "Label"
    value: str
    fieldName: str
    size: TextSize | None = None
    weight: Weight | None = None
    textAlign: TextAlign | None = None
    color: Color | None = None


class Transition(_Holding):
    """Animates changes of its one child."""

    type: Literal["Transition"] = "Transition"
    children: Child | None = None


class _SeriesBase(Wire):
    _drop_none = True

    label: str | None = None
    dataKey: str
    color: Color | None = None
    """Also a chart token: ``blue``, ``purple``, ``orange``, ``green``, ``red``, ``yellow`` or ``pink``."""


class BarSeries(_SeriesBase):
    """Bars; series with the same ``stack`` are stacked."""

    type: Literal["bar"] = "bar"
    stack: str | None = None


class AreaSeries(_SeriesBase):
    """An area; series with the same ``stack`` are stacked."""

    type: Literal["area"] = "area"
    stack: str | None = None
    curveType: CurveType | None = None


class LineSeries(_SeriesBase):
    """A line."""

    type: Literal["line"] = "line"
    curveType: CurveType | None = None


Series = Annotated[BarSeries | AreaSeries | LineSeries, PydanticUnion()]


class Chart(WidgetComponentBase):
    """Bars, areas and lines over rows of data."""

    type: Literal["Chart"] = "Chart"
    data: list[dict[str, str | Number]]
    series: list[Series]
    xAxis: str | XAxisConfig
    showYAxis: bool | None = None
    showLegend: bool | None = None
    showTooltip: bool | None = None
    barGap: Number | None = None
    barCategoryGap: Number | None = None
    flex: Size | None = None
    height: Size | None = None
    width: Size | None = None
    size: Size | None = None
    minHeight: Size | None = None
    minWidth: Size | None = None
    minSize: Size | None = None
    maxHeight: Size | None = None
    maxWidth: Size | None = None
    maxSize: Size | None = None
    aspectRatio: Size | None = None

    def __post_init__(self) -> None:
        if dict in map(type, self.series):
            self.series = convert(self.series, list[Series])


class TableCell(_Holding):
    """``Table.Cell``: direct child of a row only."""

    type: Literal["Table.Cell"] = "Table.Cell"
    children: Children | None = None
    width: Size | None = None
    padding: Space | None = None
    colSpan: Number | None = None
    rowSpan: Number | None = None
    align: Literal["start", "center", "end"] | None = None
    vAlign: Literal["start", "center", "end"] | None = None
    colSize: Literal["xs", "sm", "md", "lg", "xl"] | None = None


class TableRow(_Holding):
    """``Table.Row``: direct child of a Table only."""

    type: Literal["Table.Row"] = "Table.Row"
    children: TableCells | None = None
    header: bool | None = None


class Table(_Holding):
    """A table; ``Table.Row`` and ``Table.Cell`` are :class:`TableRow` and :class:`TableCell`."""

    type: Literal["Table"] = "Table"
    children: TableRows | None = None

    Row: ClassVar = TableRow
    Cell: ClassVar = TableCell


class ListViewItem(_HoldingAndActing):
    """One entry of a ListView."""

    _action = "onClickAction"

    type: Literal["ListViewItem"] = "ListViewItem"
    children: Children
    onClickAction: ActionProp | None = None
    gap: Size | None = None
    align: Alignment | None = None


class _Root(_Holding):
    """A root with a header line."""

    status: Status | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.status = without_nulls(self.status)


class ListView(_Root):
    """Root: a list of entries, of which ``limit`` are shown before "show more"."""

    type: Literal["ListView"] = "ListView"
    children: Items
    limit: Number | Literal["auto"] | None = None
    theme: Theme | None = None


class Card(_Root):
    """Root: a card with a body, and buttons in its footer."""

    type: Literal["Card"] = "Card"
    asForm: bool | None = None
    """Makes the card a form for ``confirm``."""
    children: Children
    background: Color | None = None
    border: BorderProp | None = None
    size: Literal["sm", "md", "lg", "full"] | None = None
    padding: Space | None = None
    collapsed: bool | None = None
    """Fold the body after the main action."""
    confirm: CardAction | None = None
    cancel: CardAction | None = None
    theme: Theme | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.confirm = _with_action(self.confirm)
        self.cancel = _with_action(self.cancel)


def _with_action(button: CardAction | None) -> CardAction | None:
    """``button`` with its action as a struct, so that the action's defaults are written."""
    if button is None:
        return None
    action: Any = button.get("action")
    return {**button, "action": convert(action, ActionConfig)} if type(action) is dict else button


class Basic(_Holding):
    """Root: a bare box that may hold components and other roots."""

    type: Literal["Basic"] = "Basic"
    children: BasicChildren | None = None
    theme: Theme | None = None
    direction: Direction | None = None
    gap: Size | None = None
    padding: Space | None = None
    align: Alignment | None = None
    justify: Justification | None = None


StrictWidgetComponent = Annotated[
    Text
    | Title
    | Caption
    | Chart
    | Badge
    | Markdown
    | Box
    | Row
    | Col
    | Divider
    | Icon
    | Image
    | ListViewItem
    | Button
    | Checkbox
    | Spacer
    | Select
    | DatePicker
    | Form
    | Input
    | Label
    | RadioGroup
    | Textarea
    | Transition
    | Table
    | TableRow
    | TableCell,
    PydanticUnion(),
]
"""Any typed component."""

StrictWidgetRoot = Annotated[Card | ListView | Basic, PydanticUnion()]
"""Any typed root."""


class _AnyWidget:
    """Annotation that makes ``Any`` a widget for Pydantic."""

    def __init__(self, validate: Callable[[Any], Any]) -> None:
        self._validate = validate

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return pydantic_schema(source, validate=self._validate)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "object"}


if TYPE_CHECKING:
    WidgetComponent: TypeAlias = StrictWidgetComponent | DynamicWidgetComponent | dict[str, Any]
    """Whatever may stand among children: a typed component, an open one, or a plain dict."""
    WidgetRoot: TypeAlias = StrictWidgetRoot | BasicRoot | DynamicWidgetRoot
    """Any root: typed or open. A plain dict becomes open where a root is expected."""
else:
    # Widgets decode to what they are, plain JSON; the structs that carry them make the open form of it.
    WidgetComponent = Annotated[Any, _AnyWidget(as_component)]
    WidgetRoot = Annotated[Any, _AnyWidget(as_root)]
