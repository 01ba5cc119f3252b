"""The parts that are pure: names, headers, links, ranges, what a file is. Laws, with any input."""

from __future__ import annotations

import inspect
import re
import time
import unicodedata
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatkit_asgi.errors import Forbidden
from chatkit_asgi.files.ranges import Part, choose
from chatkit_asgi.store import DiskAttachmentStore
from chatkit_asgi.store.attachments import FileAttachmentStore, FileStoreOptions, names
from chatkit_asgi.store.attachments.checks import (
    AttachmentLimits,
    declared_type,
    harmless,
    is_accepted,
    sniff,
)
from chatkit_asgi.store.attachments.links import Links
from chatkit_asgi.store.attachments.names import MAX_NAME, clean_name, content_disposition
from chatkit_asgi.store.attachments.s3 import presign

KEY = "a-secret-that-is-long-enough"
MANY_MARKS = re.compile("[^\\x00-\u02ff]{200}")
ANY = st.text(st.characters(), max_size=400)


@given(ANY)
@example("e\u0301\u0301" * 200 + ".txt")
@example("a" * 199 + "é.txt")
@example(".." + " . " * 5)
@example("\u200d")
def test_a_clean_name_is_short_visible_no_path_and_stays_as_it_is(name: str) -> None:
    clean = clean_name(name)
    assert 0 < len(clean.encode()) <= MAX_NAME
    assert not set(clean) & set("/\\\0\r\n")
    assert clean not in (".", "..")
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert all(unicodedata.category(each) not in hidden or each in "\u200c\u200d" for each in clean)
    assert clean_name(clean) == clean


@given(
    st.lists(
        st.tuples(st.text(st.characters(), min_size=1, max_size=12), st.integers(1, 120)),
        max_size=8,
    ).map(lambda pieces: "".join(piece * times for piece, times in pieces))
)
@example("a" * 5000 + ".txt")
@example("0" * 800 + "." + "0" * 200)
@example("0" * 5000)
@example("\u1f66\u0345." * 900)
@example("x." + "\u0061\u0308\u0304" * 40)
@example(" . " * 5000 + "a.txt" + " ." * 5000)
@example(("u\u0308\u0304" * 3000) + ".tar.gz")
def test_a_name_that_is_shortened_first_is_what_it_was_in_full(name: str) -> None:
    """Unless a letter has more marks than any script has: those of one are not put in order across the cut."""
    full = unicodedata.normalize("NFC", names._visible(re.split(r"[/\\]", name)[-1]))
    full = " ".join(names._visible(full).split()).strip(" .")
    full = names._shortened(full).strip(" .") or "file"
    if not re.search(MANY_MARKS, unicodedata.normalize("NFD", name)):
        assert clean_name(name) == full


def test_a_long_name_without_an_extension_keeps_its_beginning() -> None:
    assert clean_name("a" * 5000) == "a" * MAX_NAME
    assert clean_name("a" * 300 + "." + "b" * 300) == "a" * MAX_NAME


@pytest.mark.parametrize(
    "name",
    [
        "a" + "\u0301" * 50_000 + "\u0316" * 49_999,  # took 47 seconds
        "/".join(["a" + "\u0301\u0316" * 10_000] * 5),
        "." + "\u0301\u0316" * 50_000,
        "a." + "\u0301" * 50_000 + "\u0316" * 49_999,
        "a\u0301\u00ad\u0316" * 33_000,
        " \u0316\u0301" * 33_000,
    ],
)
def test_no_name_takes_long_to_clean(name: str) -> None:
    began = time.process_time()
    assert clean_name(clean_name(name)) == clean_name(name)
    assert time.process_time() - began < 1


@given(ANY)
def test_a_header_carries_a_name_in_one_line_and_gives_it_back(name: str) -> None:
    name = clean_name(name)
    value = content_disposition("attachment", name)
    assert value.isascii()
    assert value.isprintable()
    found = re.fullmatch(
        r"attachment; filename=\"([^\"\\]*)\"(?:; filename\*=UTF-8''(\S+))?", value
    )
    assert found is not None
    assert (unquote(found[2], errors="strict") if found[2] else found[1]) == name


@given(st.integers(0, 300), st.characters(), st.sampled_from(["upload", "download", "preview"]))
def test_any_change_of_a_link_is_refused(place: int, new: str, kind: Any) -> None:
    """Every place, every character: also those that other encodings take for the same."""
    links = Links([KEY], lambda: 1000.0)
    token = links.sign(kind, "0" * 40, "atc_1", 60)
    assert links.read(token)[:3] == (kind, "0" * 40, "atc_1")
    place %= len(token)
    for changed in (
        token[:place] + new + token[place + 1 :],
        token[:place] + new + token[place:],
        token[:place] + token[place + 1 :],
        token[:place],
        token + new,
    ):
        if changed != token:
            with pytest.raises(Forbidden) as refused:
                links.read(changed)
            assert refused.value.code == "invalid_link"


@given(st.floats(1, 1e6), st.floats(0, 2e9))
def test_a_link_lives_for_once_to_twice_its_life(life: float, now: float) -> None:
    time = [now]
    links = Links([KEY], lambda: time[0])
    token = links.sign("download", "0" * 40, "atc_1", life)
    time[0] = now + int(life)
    links.read(token)
    time[0] = now + 2 * int(life) + 1
    with pytest.raises(Forbidden) as refused:
        links.read(token)
    assert refused.value.code == "expired_link"


@given(
    st.one_of(
        st.text(max_size=30),
        st.builds(
            "bytes={}-{}".format, st.integers(0, 50), st.one_of(st.just(""), st.integers(0, 50))
        ),
        st.builds("bytes=-{}".format, st.integers(0, 50)),
    ),
    st.integers(1, 40),
)
def test_a_part_is_within_the_file_or_there_is_none(asked: str, size: int) -> None:
    part = choose({"range": asked}, '"t"', size)
    match part.status:
        case 200:
            assert part == Part(200, 0, size)
        case 206:
            assert 0 <= part.start < part.stop <= size
            assert part.content_range == f"bytes {part.start}-{part.stop - 1}/{size}"
        case _:
            assert part == Part(416, content_range=f"bytes */{size}")


@given(st.text(max_size=60))
def test_conditions_never_fail(text: str) -> None:
    for name in ("if-match", "if-none-match", "if-range", "range"):
        assert choose({name: text}, '"t"', 5).status in (200, 206, 304, 412, 416)


@given(st.binary(max_size=300), st.text(max_size=20))
def test_what_a_file_is_is_always_a_media_type(head: bytes, declared: str) -> None:
    kind = sniff(head, declared)
    assert re.fullmatch(r"[\x21-\x7e]+/[\x21-\x7e]+", kind) or kind == declared


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"accept": "image/png"}, r"accept .* \('image/png',\), not the str"),
        ({"accept": (".png",)}, r"accept .*'image/\*'.* not '\.png'"),
        ({"accept": ["image/png", "jpeg"]}, "accept .* not 'jpeg'"),
        ({"accept": ("image/PNG",)}, "accept .*lower case.* not 'image/PNG'"),
        ({"accept": ("text/plain; charset=utf-8",)}, "accept .* not 'text/plain; charset"),
        ({"accept": (1,)}, "accept .* not 1"),
        ({"accept": ()}, "accept .* nothing"),
        ({"accept": None}, "accept .* not None"),
        ({"max_size": "5MB"}, "max_size .*whole number, .* not '5MB'"),
        ({"max_size": -1}, "max_size .*more than 0.* not -1"),
        ({"max_size": 5.5}, "max_size .* not 5.5"),
        ({"max_size": True}, "max_size .* not True"),
        ({"max_size": None}, "max_size .* not None"),
        ({"quota": 0}, "quota .*None for no limit.* not 0"),
        ({"max_files": "many"}, "max_files .* not 'many'"),
        *[
            ({name: 0}, f"{name} .* not 0")
            for name in ("max_pixels", "preview_side", "max_unpacked", "max_ratio", "max_entries")
        ],
    ],
)
def test_limits_that_make_no_sense_are_refused_by_name(limits: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        AttachmentLimits(**limits)


def test_limits_that_make_sense() -> None:
    limits = AttachmentLimits(
        accept=["image/*", "application/*+json"],  # type: ignore[arg-type]  # pyright: ignore
        quota=None,
        max_files=None,
    )
    assert limits.accept == ("image/*", "application/*+json")
    for kind, comes_in in (("image/heic", True), ("application/x+json", True), ("a/b", False)):
        assert is_accepted(kind, limits) is comes_in


def test_a_store_refuses_other_limits_and_no_keys(tmp_path: Path) -> None:
    url = "https://my.app/chatkit"
    for limits in ({"max_size": 5}, {}, 5):
        with pytest.raises(ValueError, match=r"limits .*AttachmentLimits\(.* not "):
            DiskAttachmentStore(tmp_path, url=url, limits=limits)
    with pytest.raises(ValueError, match="at least one secret"):
        DiskAttachmentStore(tmp_path, url=url, keys=[])


SCRIPTS = """
    application/ecmascript application/javascript application/x-ecmascript application/x-javascript text/ecmascript
    text/javascript text/javascript1.0 text/javascript1.1 text/javascript1.2 text/javascript1.3 text/javascript1.4
    text/javascript1.5 text/jscript text/livescript text/x-ecmascript text/x-javascript
""".split()  # noqa: SIM905 (as the standard lists them)


@pytest.mark.parametrize("kind", SCRIPTS)
def test_a_script_is_plain_text_and_never_served_as_one(kind: str) -> None:
    limits = AttachmentLimits(accept=("text/*",))
    assert sniff(b"alert(1)", declared_type(kind, "a", limits)) == "text/plain"
    assert harmless(kind) == "application/octet-stream"  # as an older version has stored it


@pytest.mark.parametrize("kind", ["vbscript", "x-component", "x-server-parsed-html", "newer"])
def test_a_kind_of_text_that_nobody_knows_is_served_as_plain_text(kind: str) -> None:
    assert harmless(f"text/{kind}") == "text/plain"


@pytest.mark.parametrize("kind", ["text/plain", "text/csv", "text/markdown", "image/png"])
def test_what_nobody_runs_is_served_as_what_it_is(kind: str) -> None:
    assert harmless(kind) == kind


@pytest.mark.parametrize(
    "mark", ["<!DOCTYPE html>", "<html>", " \n<ScRiPt>", "\ufeff<body>", "<iframe src=x>"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_page_is_a_page_whatever_it_says_and_however_it_is_written(
    mark: str, encoding: str
) -> None:
    for declared in ("text/plain", "text/markdown", "image/png", "application/json", ""):
        assert sniff(mark.encode(encoding), declared) == "text/html"


def test_the_signature_is_that_of_amazons_example() -> None:
    """The published example of "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)"."""
    link = presign(
        "GET",
        "https://examplebucket.s3.amazonaws.com/test.txt",
        access_key="AKIAIOSFODNN7EXAMPLE",
        secret_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        region="us-east-1",
        expires=86400,
        clock=lambda: 1369353600.0,  # 20130524T000000Z
    )
    assert link.endswith(
        "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


# -- what every place takes --------------------------------------------------------------------


def test_the_options_that_places_pass_on_are_those_of_the_store_over_them() -> None:
    """A type checker reads them from the one, Python from the other."""
    taken = inspect.signature(FileAttachmentStore).parameters
    assert set(FileStoreOptions.__annotations__) == set(taken) - {"blobs", "url", "keys"}
    assert FileStoreOptions.__total__ is False
