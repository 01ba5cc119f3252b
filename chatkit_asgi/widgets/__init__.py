"""Widgets: the components, open widgets, and what changed between two of them (widgets.md)."""

from .dynamic import BasicRoot, DynamicWidgetComponent, DynamicWidgetRoot, as_component, as_root

WidgetComponent = WidgetRoot = object
