"""The Django app."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig

__all__ = ["ChatKitConfig"]


class ChatKitConfig(AppConfig):
    """Tables and admin pages of :class:`~chatkit_django.store.DjangoStore`, and the checks of ``manage.py check``."""

    name = "chatkit_django"
    verbose_name = "ChatKit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks."""
        import_module(".checks", __package__)
