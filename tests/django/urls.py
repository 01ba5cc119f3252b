"""The pages beside ChatKit: the admin, and a way to sign in."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import alogin, get_user_model
from django.http import HttpRequest, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path


async def sign_in(request: HttpRequest, name: str) -> JsonResponse:
    """Sign ``name`` in, whoever asks, and give the page's CSRF token."""
    people: Any = get_user_model()
    user, _ = await people.objects.aget_or_create(username=name)
    await alogin(request, user)
    return JsonResponse({"token": get_token(request)})


urlpatterns: list[Any] = [path("admin/", admin.site.urls), path("sign-in/<name>", sign_in)]
