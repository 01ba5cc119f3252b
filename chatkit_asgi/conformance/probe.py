"""Explains a misconfigured deployment from outside.

Each check is a function that looks at one thing and says what it found and what to do. Unlike cases, checks are about
what stands before the server: addresses, certificates, proxies, CORS.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import anyio

from .case import Unmet
from .client import Answer, Client, Target, message
from .runner import discover
from .wire import Headers, Log, NoTLS

__all__ = ["Finding", "probe", "told"]

Verdict = Literal["ok", "note", "wrong"]
LISTING = json.dumps({"type": "threads.list", "params": {"limit": 1}}).encode()
JSON: Headers = [("content-type", "application/json")]
PATIENCE = 40.0
"""Seconds that one check may take. The longest waits for a comment in half a minute's silence."""
CLIENT_HEADERS = ("content-type", "accept-language", "chatkit-frame-instance-id")


class Finding(NamedTuple):
    """What a check found."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""


async def probe(target: Target, origin: str = "") -> list[Finding]:
    """Run every check.

    Args:
        target: The endpoint. Credentials in its headers make more visible.
        origin: Of the page that uses it, for the check of CORS; none for pages of the same origin.

    Raises:
        Unreachable: There is no server at all.
    """
    client = Client(target, Log(target.headers))
    address = await _address(client)
    if any(each.verdict == "wrong" for each in address):
        return address
    found = [*address, *await _methods(client), *await _json(client)]
    if found[-1].verdict == "wrong":
        return [*found, *(await _cors(client, origin) if origin else [])]
    with_features = Target(
        target.transport, target.headers, target.other, target.upload_url, await discover(target)
    )
    client = Client(with_features, client.log)
    checks: list[Callable[[Client], Awaitable[list[Finding]]]] = [
        _credentials,
        _stream,
        _compression,
        _buffering,
        _silence,
    ]
    for check in checks:
        found += await _patiently(check, client)
    return [*found, *(await _cors(client, origin) if origin else [])]


def told(findings: list[Finding]) -> str:
    """The findings, for people."""
    marks = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}
    lines: list[str] = []
    for each in findings:
        lines.append(f"{marks[each.verdict]} {each.check}: {each.found}")
        if each.advice:
            lines.append(f"      {each.advice}")
    wrong = sum(each.verdict == "wrong" for each in findings)
    lines.append(f"\n{wrong or 'Nothing'} {'is' if wrong < 2 else 'are'} wrong.")
    return "\n".join(lines)


async def _patiently(
    check: Callable[[Client], Awaitable[list[Finding]]], client: Client
) -> list[Finding]:
    name = check.__name__.removeprefix("_")
    try:
        with anyio.fail_after(PATIENCE):
            return await check(client)
    except TimeoutError:
        return [Finding(name, "wrong", f"no end within {PATIENCE:g} seconds")]
    except (Unmet, ConnectionError) as error:
        return [Finding(name, "wrong", str(error))]


# -- the checks --------------------------------------------------------------------------------


async def _address(client: Client) -> list[Finding]:
    url: str = client.target.transport.url
    tls = urlsplit(url).scheme == "https"
    try:
        answer = await client.send(LISTING)
    except NoTLS as error:
        return [Finding("tls", "wrong", str(error), _about_tls(error.__cause__))]
    if not answer.status:
        advice = "Whatever listens there hangs up: it may speak TLS (https://), or not HTTP at all."
        return [Finding("address", "wrong", str(answer), advice)]
    found = [Finding("address", "ok", url)]
    local = urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1", "testserver")
    if tls and getattr(client.target.transport, "verify", True):
        found.append(Finding("tls", "ok", "the certificate is good"))
    elif tls:
        advice = "Browsers do look at it: leave --insecure out to see whether they will be content."
        found.append(Finding("tls", "note", "the certificate was not looked at", advice))
    elif not local:
        advice = "A page on https cannot use it: browsers block mixed content."
        found.append(Finding("tls", "wrong", "the address is not https", advice))
    if 300 <= answer.status < 400:
        where = answer.header("location")
        advice = (
            f"Use {where or 'the address that it leads to'} itself: browsers turn a redirected"
            " POST into a GET, or drop its body or credentials."
        )
        found.append(Finding("redirect", "wrong", f"{answer.status} to {where}", advice))
    elif answer.status in (404, 410):
        advice = "Check the path; a trailing slash matters with many frameworks."
        found.append(Finding("path", "wrong", str(answer), advice))
    elif answer.status in (502, 503, 504):
        advice = "The proxy answers, the server behind it does not."
        found.append(Finding("upstream", "wrong", str(answer), advice))
    elif answer.status == 405:
        advice = (
            "This address takes no POST: it is not the endpoint, or a proxy or CDN allows GET only."
        )
        found.append(Finding("path", "wrong", str(answer), advice))
    return found


OTHER_NAME = "It is for other hosts: get one for this name, or use a name that it has."
NO_CHAIN = (
    "Send the whole chain with it, the intermediate certificates too (fullchain.pem, not cert.pem). If your own"
    " authority has made it, every browser must know that; here --cacert FILE does."
)
NOBODY_VOUCHES = (
    "It is signed by itself, or by an authority that nobody knows: browsers refuse it. Get one from a public"
    " authority; your own is trusted here with --cacert FILE."
)
ABOUT_CERTIFICATES = {
    9: "It is not valid yet: look at the clocks of both machines.",
    10: "Renew it, and let a program do so from now on; load the new one into the server, too.",
    18: NOBODY_VOUCHES,
    19: NOBODY_VOUCHES,
    20: NO_CHAIN,
    21: NO_CHAIN,
    62: OTHER_NAME,
    64: OTHER_NAME,
}
"""Advice by OpenSSL's X509_V_ERR_*."""
NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
"""What OpenSSL calls an answer in plain HTTP, by its version."""


def _about_tls(cause: BaseException | None) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return ABOUT_CERTIFICATES.get(cause.verify_code, "Browsers refuse such a certificate.")
    if not isinstance(cause, ssl.SSLError) or cause.reason in NOT_TLS:
        return "Whatever listens there does not speak TLS: http:// is its address, or TLS is to be turned on there."
    return "Look at which versions of TLS and which ciphers the server allows."


async def _methods(client: Client) -> list[Finding]:
    answer = await client.send(method="GET", headers=[])
    if 200 <= answer.status < 300:
        advice = (
            "Something else answers GET here, such as a page that stands for every path. "
            "Harmless, if POST is the endpoint."
        )
        return [Finding("method", "note", f"GET is answered with {answer.status}", advice)]
    return [Finding("method", "ok", f"GET is refused with {answer.status}")]


async def _json(client: Client) -> list[Finding]:
    answer = await client.send(LISTING)
    kind = answer.header("content-type")
    if answer.status in (401, 403):
        advice = (
            "Give credentials with --header or --cookie; the page adds them with its custom fetch."
        )
        return [Finding("authentication", "wrong", f"{answer.status} for threads.list", advice)]
    if answer.status != 200:
        return [Finding("json", "wrong", str(answer), "threads.list must be answered with 200.")]
    if "html" in kind or answer.text.lstrip()[:1] == "<":
        advice = (
            "A page came instead: a login page, a firewall's challenge, or the server of the "
            "page itself. Let POSTs to this path through to the ChatKit server."
        )
        return [Finding("json", "wrong", str(answer), advice)]
    if not kind.startswith("application/json"):
        return [
            Finding(
                "json",
                "wrong",
                f"content-type {kind or 'missing'}",
                "Answer with application/json.",
            )
        ]
    try:
        answer.json()
    except Unmet as unmet:
        return [Finding("json", "wrong", str(unmet), "Answer with one JSON object.")]
    return [Finding("json", "ok", "threads.list is answered with JSON")]


async def _credentials(client: Client) -> list[Finding]:
    if not client.target.headers:
        advice = "Everybody reads everybody's threads, unless the network keeps others out."
        return [Finding("authentication", "note", "no credentials are needed", advice)]
    answer = await client.anonymous.send(LISTING)
    if answer.status == 200:
        advice = (
            "Refuse whoever is not signed in, or somebody will read this person's threads without."
        )
        return [
            Finding(
                "authentication",
                "wrong",
                "threads.list is answered without credentials too",
                advice,
            )
        ]
    return [Finding("authentication", "ok", f"{answer.status} without credentials")]


async def _create(client: Client, text: str, *headers: tuple[str, str]) -> Answer:
    body = json.dumps({"type": "threads.create", "params": {"input": message(text)}}).encode()
    return await client.send(body, headers=[*JSON, *headers])


async def _stream(client: Client) -> list[Finding]:
    answer = await _create(client, "Hello", ("accept", "text/event-stream"))
    kind = answer.header("content-type")
    if answer.status != 200 or not answer.is_stream:
        advice = (
            "A streaming request is answered with 200 and text/event-stream; the client "
            "repeats it up to five times otherwise."
        )
        return [Finding("stream", "wrong", str(answer)[:300], advice)]
    if not answer.complete:
        advice = (
            "A proxy, a worker's time limit or an exception cut it: look into the server's "
            "log at this moment."
        )
        return [Finding("stream", "wrong", "the stream is cut in the middle", advice)]
    found = [Finding("stream", "ok", f"threads.create is answered with {kind}")]
    if answer.header("x-accel-buffering").lower() != "no":
        advice = "Send `x-accel-buffering: no` with streams: nginx collects them otherwise."
        found.append(Finding("nginx", "note", "no x-accel-buffering header", advice))
    control = answer.header("cache-control")
    if "no-cache" not in control and "no-store" not in control:
        advice = "Send `cache-control: no-cache, no-transform` with streams."
        found.append(Finding("cache", "note", f"cache-control is {control or 'missing'}", advice))
    return found


async def _compression(client: Client) -> list[Finding]:
    answer = await _create(client, "Hello", ("accept-encoding", "gzip, br, zstd, deflate"))
    used = answer.header("content-encoding")
    if used not in ("", "identity"):
        advice = (
            "Compression holds text back. Except text/event-stream from it, in the framework,"
            " the proxy and the CDN."
        )
        return [Finding("compression", "wrong", f"the stream is compressed ({used})", advice)]
    return [Finding("compression", "ok", "the stream is not compressed")]


async def _buffering(client: Client) -> list[Finding]:
    if "slow" not in client.target.features:
        return [_unknown("buffering", "slow")]
    times: list[float] = []
    began = time.monotonic()
    async with client.open("threads.create", input=message("conformance: slow")) as stream:
        headers = time.monotonic() - began
        while len(times) < 40 and await stream.next_chunk():
            times.append(time.monotonic() - began)
    whole = times[-1] if times else 0.0
    if stream.reply.complete and (len(times) < 10 or whole - times[0] < 0.5 * whole):
        advice = (
            "Something between collects the answer: `proxy_buffering off` in nginx, no "
            "response buffering or `stream` mode in the CDN, gateway or serverless adapter, "
            "no middleware that reads the whole body."
        )
        return [
            Finding(
                "buffering",
                "wrong",
                f"the stream came in {len(times)} pieces after {headers:.1f} s",
                advice,
            )
        ]
    return [
        Finding("buffering", "ok", f"the first of {len(times)} pieces came after {times[0]:.2f} s")
    ]


async def _silence(client: Client) -> list[Finding]:
    if "silent" not in client.target.features:
        return [_unknown("keep-alive", "silent")]
    began = time.monotonic()
    async with client.open("threads.create", input=message("conformance: silent")) as stream:
        while not stream.comments and await stream.next_chunk():
            pass
        waited = time.monotonic() - began
    if stream.comments:
        return [Finding("keep-alive", "ok", f"a comment came after {waited:.0f} s of silence")]
    if not stream.reply.complete:
        advice = (
            "Its idle time limit is too short for a model that thinks: send a comment every "
            "15 seconds, and raise the limit."
        )
        return [
            Finding(
                "keep-alive", "wrong", f"a proxy cut the silent stream after {waited:.0f} s", advice
            )
        ]
    advice = (
        "Send a comment (`: keep-alive`) every 15 seconds; most proxies cut after 60 "
        "seconds of silence."
    )
    return [Finding("keep-alive", "note", f"nothing came in {waited:.0f} s of silence", advice)]


def _unknown(check: str, trigger: str) -> Finding:
    advice = f"Make the server answer `conformance: {trigger}` (docs/conformance/testee.md) to see."
    return Finding(
        check, "note", "cannot be seen from outside without an answer that takes time", advice
    )


async def _cors(client: Client, origin: str) -> list[Finding]:
    wanted = [*CLIENT_HEADERS, *(name for name, _ in client.target.headers if name != "cookie")]
    asked = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", ", ".join(sorted(wanted))),
    ]
    answer = await client.anonymous.send(method="OPTIONS", headers=asked)
    allowed = answer.header("access-control-allow-origin")
    if not 200 <= answer.status < 300:
        advice = (
            "Browsers ask with OPTIONS and without credentials first: let that through "
            "authentication, and answer it with 204."
        )
        return [Finding("cors", "wrong", f"the preflight is answered with {answer.status}", advice)]
    if allowed not in ("*", origin):
        advice = f"Allow the origin {origin}."
        return [Finding("cors", "wrong", f"the preflight allows {allowed or 'no origin'}", advice)]
    names = {
        name.strip().lower() for name in answer.header("access-control-allow-headers").split(",")
    }
    missing = [] if "*" in names else [name for name in wanted if name not in names]
    if missing:
        advice = f"Allow the headers {', '.join(wanted)}."
        return [
            Finding("cors", "wrong", f"the preflight does not allow {', '.join(missing)}", advice)
        ]
    refused = await client.send(b"{", headers=[*JSON, ("origin", origin)])
    if refused.header("access-control-allow-origin") not in ("*", origin):
        advice = (
            "Put the CORS headers on errors too: without them the browser shows every error "
            "as one of CORS."
        )
        return [
            Finding("cors", "wrong", "an error answer has no access-control-allow-origin", advice)
        ]
    return [Finding("cors", "ok", f"{origin} may use it")]
