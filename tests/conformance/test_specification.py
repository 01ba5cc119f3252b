"""The specification: clauses, their cases, its examples, and the schemas that are made of our structs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from chatkit_asgi.cli import main
from chatkit_asgi.conformance.case import SECTIONS, catalogue, clauses, select
from chatkit_asgi.conformance.script import table
from chatkit_asgi.conformance.shapes import EVENT, ITEM, mismatch
from chatkit_asgi.operations import OPERATIONS
from chatkit_asgi.schemas import schemas
from tests.conformance import specification
from tests.conformance.listing import LISTING, listing
from tests.types.samples import EVENTS, ITEMS, REQUESTS

VALIDATORS = {
    name: jsonschema_rs.Draft202012Validator(schema) for name, schema in schemas().items()
}


def test_the_suite_has_the_clauses_of_the_pages() -> None:
    """``python -m tests.conformance.specification`` makes the file of the pages."""
    assert specification.STORED.read_text(encoding="utf-8") == specification.rendered()


def test_every_clause_is_found_and_has_an_id_of_its_own() -> None:
    ids = [each["id"] for each in specification.clauses()]
    assert len(ids) == len(set(ids))
    assert specification.mentions() == set(ids)


def test_every_clause_has_a_case_or_says_why_not() -> None:
    """Invariant: nothing in the specification is a mere wish."""
    shown = {case.clause.id for case in catalogue()}
    for clause in clauses().values():
        assert (clause.id in shown) != bool(clause.untestable), clause.id


def test_there_are_enough_cases_in_every_section() -> None:
    assert len(catalogue()) >= 150
    assert {case.section for case in catalogue()} == set(SECTIONS)


def test_every_case_says_what_is_sent_and_what_must_happen() -> None:
    for case in catalogue():
        assert case.sends.endswith("."), case.id
        assert case.expects.endswith("."), case.id
        assert re.fullmatch(r"[a-z]+/[a-z0-9-]+", case.id)


def test_ids_of_cases_are_permanent() -> None:
    """The committed list changes only on purpose: ``python -m tests.conformance.listing``."""
    assert LISTING.read_text(encoding="utf-8") == listing()


def test_every_need_is_a_trigger_or_a_feature() -> None:
    known = {*table()["triggers"], *table()["features"], *table()["special"]}
    for case in catalogue():
        assert case.needs <= known | {"socket", "two-users", "credentials", "upload-url"}, case.id


def test_every_trigger_is_used() -> None:
    used = {need for case in catalogue() for need in case.needs}
    assert set(table()["triggers"]) <= used


def test_selecting_knows_ids_clauses_sections_and_levels() -> None:
    cases = catalogue()
    assert [case.id for case in select(cases, patterns=["retry/old-answer-is-gone"])] == [
        "retry/old-answer-is-gone"
    ]
    assert {case.clause.id for case in select(cases, patterns=["RTY-*"])} == {
        f"RTY-{number}" for number in range(1, 6)
    }
    assert {case.section for case in select(cases, sections=["tools"])} == {"tools"}
    assert {case.level for case in select(cases, level="SHOULD")} == {"MUST", "SHOULD"}
    for wrong in ({"patterns": ["nothing"]}, {"sections": ["nothing"]}):
        with pytest.raises(ValueError, match="nothing"):
            select(cases, **wrong)  # type: ignore[arg-type]


# -- examples and schemas ----------------------------------------------------------------------


def kind_of(example: Any) -> list[str]:
    """The schemas that an example may be of."""
    if "params" in example:
        return ["request"]
    if "error" in example and "message" in example:
        return []
    if str(example.get("type", "")).startswith("thread.") or example.get("type") in (
        "stream_options", "progress_update", "client_effect", "notice", "error",
    ):  # fmt: skip
        return ["event"]
    return ["item"] if "thread_id" in example and "created_at" in example else list(VALIDATORS)


def test_every_example_fits_a_schema() -> None:
    assert len(specification.examples()) > 40
    for where, example in specification.examples():
        kinds = kind_of(example)
        assert not kinds or any(VALIDATORS[kind].is_valid(example) for kind in kinds), where


def test_there_is_a_schema_for_every_answer() -> None:
    plain = {
        kind.__struct_config__.tag
        for kind, operation in OPERATIONS.items()
        if not operation.streams
    }  # type: ignore[attr-defined]
    assert {f"answer.{name}" for name in plain} | {"request", "event", "item"} == set(schemas())


def test_schemas_refer_to_what_they_define() -> None:
    for schema in schemas().values():
        named = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(schema)))
        assert named == set(schema.get("$defs", {}))
        assert "chatkit_asgi" not in json.dumps(schema)


def test_the_command_writes_the_schemas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schemas", str(tmp_path / "new")]) == 0
    written = {path.name for path in (tmp_path / "new").iterdir()}
    assert written == {f"{name}.schema.json" for name in schemas()}
    assert len(capsys.readouterr().out.splitlines()) == len(written)


@pytest.mark.parametrize("document", [*EVENTS, *ITEMS])
def test_hand_written_shapes_and_schemas_take_what_the_reference_writes(document: str) -> None:
    """The suite's shapes are written by hand, the schemas are made of our structs; neither refuses what is right."""
    value = json.loads(document)
    kind, shape = ("item", ITEM) if "created_at" in value else ("event", EVENT)
    assert mismatch(value, shape) is None
    assert VALIDATORS[kind].is_valid(value)


@pytest.mark.parametrize("document", REQUESTS)
def test_the_schema_takes_every_request(document: str) -> None:
    assert VALIDATORS["request"].is_valid(json.loads(document))


def test_a_schema_refuses_what_is_wrong() -> None:
    assert not VALIDATORS["request"].is_valid(
        {"type": "threads.get_by_id", "params": {"thread_id": 7}}
    )
    assert not VALIDATORS["event"].is_valid({"type": "thread.item.removed"})
