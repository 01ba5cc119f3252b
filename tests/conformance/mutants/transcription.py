"""Servers that are wrong about transcription."""

from __future__ import annotations

from tests.conformance.mutants.building import accepts, answers, asks, kind, refuses

TRANSCRIBES = kind("input.transcribe")
answers(
    "says_transcript",
    "transcription/text-comes-back",
    kind="input.transcribe",
    change=lambda asked, value: {"transcript": value["text"]},
)
asks(
    "hears_the_first_half",
    "transcription/bytes-arrive",
    when=lambda asked: len(asked.params.get("audio_base64", "")) == 344,
    change=lambda asked: asked.with_params(audio_base64=asked.params["audio_base64"][:172]),
)
refuses(
    "minds_codecs",
    "transcription/media-type-with-parameters",
    when=lambda asked: ";" in asked.params.get("mime_type", ""),
)
refuses(
    "hears_short_words_only",
    "transcription/a-minute-of-audio",
    when=lambda asked: len(asked.params.get("audio_base64", "")) > 100_000,
    status=413,
)
accepts(
    "hears_what_it_likes",
    "transcription/not-base64-is-refused",
    lambda asked: "!" in asked.params.get("audio_base64", ""),
)
accepts(
    "guesses_media_types",
    "transcription/no-media-type-is-refused",
    lambda asked: TRANSCRIBES(asked) and "mime_type" not in asked.params,
)
