"""Servers that are broken in one way each, and the case that each was made for.

Every mutant is our testee with one wrong habit. :data:`MUTANTS` has them by name; ``matrix.json`` says which cases each
of them fails. State lives in the closures: an app is made anew for every case.
"""

from __future__ import annotations

from importlib import import_module

from chatkit_asgi.conformance.case import SECTIONS
from tests.conformance.mutants.building import MUTANTS, Mutant

__all__ = ["MUTANTS", "Mutant"]

for _section in SECTIONS:
    import_module(f"{__name__}.{_section}")
