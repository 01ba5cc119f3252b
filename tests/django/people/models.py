"""People whose names are their primary keys: an owner is text, whatever the user model's key is."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class Person(AbstractUser):
    """A user."""

    username = models.CharField(max_length=150, primary_key=True)
