"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig

__all__ = ["ChatKitConfig"]


class ChatKitConfig(AppConfig):
    """Tables and admin pages of :class:`~chatkit_django.store.DjangoStore`, and the checks of ``manage.py check``."""

    name = "chatkit_django"
    verbose_name = "ChatKit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks."""
        from . import checks  # noqa: F401
