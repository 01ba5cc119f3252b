"""Every component with every prop, in widgets that one can look at (widgets.md sections 3 and 4)."""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]


def action(kind: str, **more: Any) -> Node:
    return {"type": kind, **more}


TEXTS: Node = {
    "type": "Card",
    "size": "lg",
    "status": {"text": "Texts", "icon": "square-text"},
    "children": [
        *(
            {
                "type": "Title",
                "value": f"Title {size}",
                "size": size,
                "weight": "bold",
                "truncate": True,
            }
            for size in ("sm", "md", "lg", "xl", "2xl", "3xl")
        ),
        {
            "type": "Title",
            "value": "4xl",
            "size": "4xl",
            "color": "emphasis",
            "textAlign": "center",
            "maxLines": 1,
        },
        {
            "type": "Title",
            "value": "5xl",
            "size": "5xl",
            "color": {"light": "blue-800", "dark": "blue-100"},
        },
        *(
            {
                "type": "Text",
                "value": f"Text {size}",
                "size": size,
                "color": color,
                "weight": weight,
            }
            for size, color, weight in (
                ("xs", "tertiary", "normal"),
                ("sm", "secondary", "medium"),
                ("md", "success", "semibold"),
                ("lg", "warning", "bold"),
                ("xl", "danger", "normal"),
            )
        ),
        {
            "type": "Text",
            "value": "italic and struck",
            "italic": True,
            "lineThrough": True,
            "textAlign": "end",
            "width": "100%",
        },
        {"type": "Text", "value": "a long text that is cut after one line " * 4, "truncate": True},
        {"type": "Text", "value": "two lines at most " * 20, "maxLines": 2, "minLines": 2},
        {"type": "Text", "id": "s", "value": "still coming", "streaming": True},
        *(
            {"type": "Caption", "value": f"Caption {size}", "size": size}
            for size in ("sm", "md", "lg")
        ),
        {"type": "Markdown", "value": "**Markdown** with `code`"},
        {
            "type": "Label",
            "value": "A label",
            "fieldName": "nothing",
            "size": "sm",
            "weight": "medium",
        },
        {
            "type": "Row",
            "gap": 2,
            "wrap": "wrap",
            "children": [
                {
                    "type": "Badge",
                    "label": f"{color} {variant}",
                    "color": color,
                    "variant": variant,
                    "size": size,
                    "pill": pill,
                }
                for color, variant, size, pill in (
                    ("secondary", "solid", "sm", False),
                    ("success", "soft", "md", True),
                    ("danger", "outline", "lg", False),
                    ("warning", "solid", "md", False),
                    ("info", "soft", "md", False),
                    ("discovery", "solid", "md", True),
                )
            ],
        },
        {
            "type": "Row",
            "gap": 3,
            "children": [
                {"type": "Icon", "name": name, "size": size, "color": "blue-500"}
                for name, size in (
                    ("bolt", "xs"),
                    ("calendar", "sm"),
                    ("lucide:anchor", "md"),
                    ("confetti", "lg"),
                    ("maps", "xl"),
                    ("star-filled", "2xl"),
                    ("vendor:none", "3xl"),
                )
            ],
        },
    ],
}

LAYOUT: Node = {
    "type": "Card",
    "size": "md",
    "background": {"light": "#f7faff", "dark": "#10151f"},
    "border": {"top": 3, "bottom": {"size": 1, "color": "strong", "style": "dashed"}},
    "padding": {"x": 5, "top": "1.5rem", "bottom": 4},
    "children": [
        {
            "type": "Row",
            "align": "center",
            "justify": "between",
            "children": [
                {"type": "Text", "value": "left"},
                {"type": "Spacer", "minSize": 12},
                {"type": "Text", "value": "right"},
            ],
        },
        {"type": "Divider", "flush": True, "spacing": 2, "size": 2, "color": "subtle"},
        {
            "type": "Row",
            "gap": 2,
            "children": [
                {
                    "type": "Box",
                    "flex": 1,
                    "height": 60,
                    "radius": radius,
                    "background": background,
                    "border": {"size": 1, "color": "default"},
                    "padding": 2,
                    "align": "center",
                    "justify": "center",
                    "children": [{"type": "Caption", "value": radius}],
                }
                for radius, background in (
                    ("2xs", "surface-secondary"),
                    ("md", "surface-tertiary"),
                    ("xl", {"light": "green-100", "dark": "green-900"}),
                    ("full", "linear-gradient(45deg, #fff, #ccd)"),
                )
            ],
        },
        {
            "type": "Col",
            "gap": 1,
            "margin": {"y": 2},
            "minWidth": 80,
            "maxWidth": "100%",
            "children": [
                {"type": "Text", "value": "a column"},
                {"type": "Text", "value": "of two"},
            ],
        },
        {
            "type": "Row",
            "gap": 2,
            "wrap": "wrap",
            "children": [
                {
                    "type": "Image",
                    "src": "/picture.svg",
                    "alt": f"fit {fit}",
                    "fit": fit,
                    "position": position,
                    "width": 80,
                    "height": 60,
                    "radius": "lg",
                    "frame": True,
                    "background": "surface-secondary",
                }
                for fit, position in (
                    ("cover", "top left"),
                    ("contain", "center"),
                    ("none", "bottom right"),
                )
            ],
        },
        {
            "type": "Image",
            "src": "/picture.svg",
            "alt": "flush",
            "flush": True,
            "aspectRatio": "4 / 1",
        },
        {
            "type": "Transition",
            "children": {"type": "Text", "key": "a", "value": "in a transition"},
        },
        {
            "type": "Table",
            "children": [
                {
                    "type": "Table.Row",
                    "header": True,
                    "children": [
                        {
                            "type": "Table.Cell",
                            "colSize": "lg",
                            "children": [{"type": "Text", "value": "Item"}],
                        },
                        {
                            "type": "Table.Cell",
                            "align": "end",
                            "children": [{"type": "Text", "value": "Price"}],
                        },
                    ],
                },
                {
                    "type": "Table.Row",
                    "children": [
                        {
                            "type": "Table.Cell",
                            "vAlign": "start",
                            "children": [{"type": "Text", "value": "Lamp"}],
                        },
                        {
                            "type": "Table.Cell",
                            "align": "end",
                            "padding": 2,
                            "children": [{"type": "Text", "value": "12"}],
                        },
                    ],
                },
                {
                    "type": "Table.Row",
                    "children": [
                        {
                            "type": "Table.Cell",
                            "colSpan": 2,
                            "children": [{"type": "Caption", "value": "across"}],
                        }
                    ],
                },
            ],
        },
    ],
}

BUTTONS: Node = {
    "type": "Card",
    "size": "lg",
    "children": [
        *(
            {
                "type": "Row",
                "gap": 2,
                "wrap": "wrap",
                "children": [
                    {
                        "type": "Button",
                        "label": color,
                        "color": color,
                        "variant": variant,
                        "onClickAction": action("b"),
                    }
                    for color in (
                        "primary",
                        "secondary",
                        "info",
                        "discovery",
                        "success",
                        "caution",
                        "warning",
                        "danger",
                    )
                ],
            }
            for variant in ("solid", "soft", "outline", "ghost")
        ),
        {
            "type": "Row",
            "gap": 2,
            "align": "end",
            "wrap": "wrap",
            "children": [
                {
                    "type": "Button",
                    "label": size,
                    "size": size,
                    "style": "secondary",
                    "iconStart": "plus",
                    "iconSize": "sm",
                }
                for size in ("3xs", "2xs", "xs", "sm", "md", "lg", "xl", "2xl", "3xl")
            ],
        },
        {
            "type": "Row",
            "gap": 2,
            "children": [
                {
                    "type": "Button",
                    "label": "Pill",
                    "pill": True,
                    "style": "primary",
                    "iconEnd": "chevron-right",
                },
                {"type": "Button", "iconStart": "search", "uniform": True},
                {"type": "Button", "label": "Off", "disabled": True},
            ],
        },
        {"type": "Button", "label": "Block", "block": True, "color": "success"},
    ],
}

CONTROLS: Node = {
    "type": "Card",
    "size": "md",
    "asForm": True,
    "confirm": {"label": "Save", "action": action("save", payload={"id": 7})},
    "cancel": {"label": "Cancel", "action": action("cancel")},
    "children": [
        {"type": "Label", "value": "Name", "fieldName": "person.name"},
        {
            "type": "Input",
            "name": "person.name",
            "required": True,
            "placeholder": "Ada",
            "variant": "outline",
            "size": "lg",
        },
        {
            "type": "Input",
            "name": "person.age",
            "inputType": "number",
            "defaultValue": "36",
            "variant": "soft",
            "gutterSize": "lg",
            "pill": True,
            "placeholder": "Age",
        },
        {
            "type": "Textarea",
            "name": "note",
            "rows": 2,
            "maxRows": 4,
            "autoResize": True,
            "defaultValue": "A note",
            "placeholder": "Note",
        },
        {
            "type": "Select",
            "name": "city",
            "defaultValue": "b",
            "clearable": True,
            "placeholder": "City",
            "options": [
                {"value": "a", "label": "Athens"},
                {"value": "b", "label": "Berlin"},
                {"value": "c", "label": "Cairo", "disabled": True},
            ],
        },
        {
            "type": "Select",
            "name": "country",
            "searchable": True,
            "placeholder": "Country",
            "options": [
                {"value": f"c{n}", "label": f"Country {n}", "description": "A country"}
                for n in range(20)
            ],
        },
        {
            "type": "DatePicker",
            "name": "day",
            "defaultValue": "2026-03-14T00:00:00Z",
            "min": "2026-01-01",
            "max": "2026-12-31",
            "placeholder": "Day",
            "variant": "soft",
            "size": "lg",
            "side": "right",
            "align": "center",
            "clearable": True,
            "onChangeAction": action("day", handler="client"),
        },
        {
            "type": "DatePicker",
            "name": "off",
            "defaultValue": "2026-03-14T14:30:00",
            "pill": True,
            "block": True,
            "disabled": True,
        },
        {"type": "Checkbox", "name": "agree", "label": "I agree", "defaultChecked": True},
        {
            "type": "RadioGroup",
            "name": "size",
            "ariaLabel": "Size",
            "direction": "col",
            "defaultValue": "l",
            "options": [
                {"value": "s", "label": "Small"},
                {"value": "l", "label": "Large"},
                {"value": "x", "label": "None left", "disabled": True},
            ],
        },
        {
            "type": "Text",
            "value": "Edit me",
            "editable": {"name": "title", "required": True, "placeholder": "Title"},
        },
    ],
}

LIST: Node = {
    "type": "ListView",
    "limit": 3,
    "status": {"text": "Five things", "icon": "batch"},
    "children": [
        {
            "type": "ListViewItem",
            "key": str(n),
            "gap": 3,
            "align": "center",
            "onClickAction": action("open", payload={"n": n}),
            "children": [
                {"type": "Icon", "name": "cube"},
                {
                    "type": "Col",
                    "flex": 1,
                    "children": [
                        {"type": "Text", "value": f"Thing {n}"},
                        {"type": "Caption", "value": "of many"},
                    ],
                },
                {"type": "Badge", "label": "new"},
            ],
        }
        for n in range(5)
    ],
}

DATA = [
    {"month": month, "sales": sales, "costs": costs, "profit": sales - costs}
    for month, sales, costs in (
        ("Jan", 120, 80),
        ("Feb", 160, 90),
        ("Mar", 90, 110),
        ("Apr", 210, 120),
        ("May", 180, 70),
    )
]


def chart(*series: Node, **more: Any) -> Node:
    return {
        "type": "Chart",
        "data": DATA,
        "series": list(series),
        "xAxis": "month",
        "height": 180,
        **more,
    }


CHARTS: Node = {
    "type": "Card",
    "size": "lg",
    "children": [
        chart(
            {"type": "bar", "label": "Sales", "dataKey": "sales", "color": "blue"},
            {"type": "bar", "label": "Costs", "dataKey": "costs", "color": "orange"},
            showYAxis=True,
            showLegend=True,
            showTooltip=True,
            barGap=4,
            barCategoryGap=20,
        ),
        chart(
            {
                "type": "area",
                "label": "Sales",
                "dataKey": "sales",
                "stack": "a",
                "curveType": "natural",
            },
            {
                "type": "area",
                "label": "Costs",
                "dataKey": "costs",
                "stack": "a",
                "curveType": "natural",
                "color": "green",
            },
            xAxis={"dataKey": "month", "labels": {"Jan": "January"}},
        ),
        chart(
            {"type": "bar", "label": "Sales", "dataKey": "sales", "stack": "s", "color": "purple"},
            {"type": "bar", "label": "Profit", "dataKey": "profit", "stack": "s", "color": "#0a8"},
            {
                "type": "line",
                "label": "Costs",
                "dataKey": "costs",
                "curveType": "stepAfter",
                "color": "red",
            },
            showYAxis=True,
        ),
    ],
}

UNKNOWN: Node = {
    "type": "Card",
    "children": [
        {"type": "Map", "children": [{"type": "Text", "value": "inside the unknown"}]},
        {"type": "Text", "value": {"not": "text"}, "size": 12, "color": 7},
        {"type": "Chart", "data": "none", "series": 3, "xAxis": None},
        {"type": "Select", "name": "x", "options": "none"},
        {"type": "Table", "children": {"type": "Table.Row"}},
        {"type": "constructor"},
        {"type": "Text", "value": "after all of it"},
    ],
}

BASIC: Node = {
    "type": "Basic",
    "theme": "dark",
    "direction": "row",
    "gap": 3,
    "padding": 4,
    "align": "center",
    "children": [{"type": "Icon", "name": "bolt"}, {"type": "Text", "value": "A basic root"}],
}

GALLERY = {
    "texts": TEXTS,
    "layout": LAYOUT,
    "buttons": BUTTONS,
    "controls": CONTROLS,
    "list": LIST,
    "charts": CHARTS,
    "unknown": UNKNOWN,
    "basic": BASIC,
}
