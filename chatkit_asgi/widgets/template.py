"""Widget templates: ``.widget`` files of ChatKit's designer, which make a widget of data (widgets.md section 6).

A ``.widget`` file is a JSON object with a ``template``, the Jinja source of the widget's JSON, and a ``jsonSchema`` of
the data. Needs the extra ``chatkit-asgi[widgets]``; Jinja and the schema library are imported when the first template
is built.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, NoReturn, cast

import msgspec

from .._base import enc_hook
from .._closing import closing
from ..errors import AuthorError, WidgetTemplateError
from ._parse import NotAWidget, parse_widget
from .dynamic import BasicRoot, DynamicWidgetComponent, DynamicWidgetRoot

__all__ = ["WidgetTemplate"]

logger = logging.getLogger("chatkit_asgi.widgets")

MAX_FILE: Final = 1024 * 1024
"""Bytes of a ``.widget`` file. The designer's are some tens of kilobytes."""

_MARK: Final = "\ue000chatkit-asgi grows here\ue000"
"""Stands for a text that will grow, where a template is rendered once for all its states."""


class WidgetTemplate:
    """A template of a widget.

    Example::

        template = WidgetTemplate.from_file("mail.widget")
        yield template.build({"to": "Ada"})

    Args:
        definition: The object of a ``.widget`` file: ``version`` (``"1.0"``), ``name``, ``template`` (Jinja source, or
            a template that you have compiled in an environment of your own), and ``jsonSchema`` (optional).
        source: What errors call it, for example the path of its file.

    Raises:
        WidgetTemplateError: The definition is not one.
    """

    def __init__(self, definition: Mapping[str, Any], *, source: str = "widget template") -> None:
        self.source = source
        given: Any = definition
        if not isinstance(given, Mapping):
            self._fail("$", f"expected an object, got {type(given).__name__}")
        for key in ("version", "name", "template"):
            if key not in definition:
                self._fail("$", f"there is no {key!r}")
        self.version = definition["version"]
        if self.version != "1.0":
            self._fail("$.version", f"only '1.0' is supported, not {self.version!r}")
        self.name: str = definition["name"]
        self._given = definition["template"]
        if not isinstance(self._given, str) and not hasattr(self._given, "render"):
            self._fail("$.template", f"expected Jinja source, got {type(self._given).__name__}")
        self.data_schema: dict[str, Any] = definition.get("jsonSchema") or {}

    @classmethod
    def from_file(
        cls, file_path: str | Path, *, folder: str | Path | None = None
    ) -> WidgetTemplate:
        """The template in a file; read and compiled again only when the file has changed.

        Args:
            file_path: A relative path is one from the folder of the source file that calls this.
            folder: Another folder that relative paths start from, for example in a function that wraps this one.

        Raises:
            OSError: The file cannot be read.
            WidgetTemplateError: It is too large, or not a template.
        """
        if not os.path.isabs(file_path):
            caller = sys._getframe(1).f_code.co_filename  # pyright: ignore[reportPrivateUsage]
            file_path = os.path.join(folder or _folder_of(caller), file_path)
        found = os.stat(file_path)
        version = found.st_mtime_ns, found.st_size, found.st_ino
        return _read(cast("Any", cls), str(file_path), version)

    # -- building ------------------------------------------------------------------------------

    def build(self, data: Any = None, *, check: bool | None = None) -> DynamicWidgetRoot:
        """The widget for ``data``.

        Args:
            data: A dict, a Pydantic model, a msgspec struct or a dataclass; nothing if the template needs none.
            check: Whether the data must fit ``jsonSchema``. Default: where it does not, a warning is logged once if a
                widget can be made all the same, and what does not fit is the error if none can.

        Raises:
            WidgetTemplateError: The data does not fit, the template fails, or what it makes is not a widget. The text
                names the file and the place.
            ImportError: The extra ``[widgets]`` is not installed.
        """
        return DynamicWidgetRoot(self._tree(_variables(data), check))

    def build_basic(self, data: Any = None, *, check: bool | None = None) -> BasicRoot:
        """:meth:`build` for a ``Basic`` root only; there for code that uses openai-chatkit's deprecated method."""
        tree = self._tree(_variables(data), check)
        if tree["type"] != "Basic":
            self._fail("the rendered text, $.type", f"expected 'Basic', got {tree['type']!r}")
        return BasicRoot(tree)

    async def grow(
        self,
        data: Any,
        name: str,
        pieces: AsyncIterable[str],
        *,
        end: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[DynamicWidgetRoot]:
        """The states of a widget whose text arrives in pieces, for :func:`~chatkit_asgi.server.stream_widget`.

        Where the template only prints the variable, as ``{{ name | tojson }}`` does, into the ``value`` of one
        component, it is rendered once and each piece costs the same; otherwise it is rendered for each piece.

        Args:
            data: As for :meth:`build`.
            name: The variable that grows; it starts from its value in ``data``, or empty.
            pieces: What is appended, for example a model's deltas. Closed at the end, also an early one.
            end: Variables that are different in the last state, such as ``{"streaming": False}``.

        Yields:
            One object, changed in place where possible; a new one otherwise.

        Raises:
            WidgetTemplateError: As for :meth:`build`. Data is checked for the first and the last state.
        """
        variables = _variables(data)
        text: str = variables.get(name) or ""
        root = self.build({**variables, name: text})
        growing = self._place(variables, name)
        if growing is not None:
            root, component = growing
            component["value"] = text
        async with closing(aiter(pieces)) as found:
            yield root
            async for piece in found:
                text += piece
                if growing is None:
                    root = self.build({**variables, name: text}, check=False)
                else:
                    growing[1]["value"] = text
                yield root
        yield self.build({**variables, name: text, **(end or {})})

    # -- steps ---------------------------------------------------------------------------------

    @cached_property
    def template(self) -> Any:
        """The compiled Jinja template."""
        if not isinstance(self._given, str):
            return self._given
        with _extra():
            from jinja2 import Template, TemplateSyntaxError

            from ._sandbox import environment
        sandbox = environment()
        try:
            code = sandbox.compile(self._given, filename=self.source)
        except TemplateSyntaxError as error:
            self._fail(f"$.template, line {error.lineno}", error.message or "bad syntax")
        return Template.from_code(sandbox, code, sandbox.make_globals(None))

    @cached_property
    def _validator(self) -> Any:
        with _extra():
            import jsonschema_rs
        try:
            return jsonschema_rs.Draft202012Validator(self.data_schema, mask="it")
        except ValueError as error:
            self._fail("$.jsonSchema", str(error).partition("\n")[0])

    def _tree(self, variables: dict[str, Any], check: bool | None) -> dict[str, Any]:
        misfit = self._misfit(variables) if check is not False and self.data_schema else None
        if misfit is not None and check:
            raise misfit
        try:
            tree = self._parse(self._render(variables))
        except WidgetTemplateError as error:
            if misfit is not None:
                raise misfit from error  # which is why
            raise
        if misfit is not None:
            _warn_once(str(misfit))
        return tree

    def _misfit(self, variables: dict[str, Any]) -> WidgetTemplateError | None:
        """What does not fit the schema."""
        validator = self._validator
        try:
            plain = msgspec.to_builtins(variables, enc_hook=enc_hook, str_keys=True)
            wrong = next(validator.iter_errors(plain), None)
        except Exception as error:  # something that JSON cannot hold
            return WidgetTemplateError(f"{self.source}: the data: {error}")
        if wrong is None:
            return None
        where = _json_path(wrong.instance_path)
        return WidgetTemplateError(f"{self.source}: the data, {where}: {wrong.message}")

    def _render(self, variables: dict[str, Any]) -> str:
        if isinstance(self._given, str) and "append" in self._given:
            variables = _copied(variables)  # else it would grow with every widget
        try:
            rendered: str = self.template.render(variables)
        except (AuthorError, ImportError):
            raise
        except Exception as error:
            line = _line_in(str(getattr(self.template, "filename", None) or "<template>"), error)
            where = "$.template" if line is None else f"$.template, line {line}"
            self._fail(where, f"{type(error).__name__}: {error}", cause=error)
        return rendered

    def _parse(self, rendered: str) -> dict[str, Any]:
        try:
            return parse_widget(rendered)
        except NotAWidget as error:
            what = error.what
            if error.where.startswith("line"):
                what += "; is a value printed without tojson?"
            self._fail(f"the rendered text, {error.where}", what, rendered=rendered)

    def _place(self, variables: dict[str, Any], name: str) -> tuple[DynamicWidgetRoot, Any] | None:
        """The widget with a mark for the text, and the component whose value it is; ``None`` if the template does
        more with the text than to print it there."""
        if not self._only_prints(name):
            return None
        rendered = self._render({**variables, name: _MARK})
        root = DynamicWidgetRoot(self._parse(rendered))
        found = [each for each in _opened(root) if each.get("value") == _MARK]
        if len(found) != 1 or rendered.count(json.dumps(_MARK)) != 1:
            return None
        return root, found[0]

    def _only_prints(self, name: str) -> bool:
        """Whether the one thing that the template does with a variable is ``{{ name | tojson }}``."""
        if not isinstance(self._given, str):
            return False
        from jinja2 import nodes

        tree = self.template.environment.parse(self._given)
        printed = [
            each
            for output in tree.find_all(nodes.Output)
            for each in output.nodes
            if isinstance(each, nodes.Filter)
            and each.name == "tojson"
            and not (each.args or each.kwargs)
            and isinstance(each.node, nodes.Name)
            and each.node.name == name
        ]
        named = [each for each in tree.find_all(nodes.Name) if each.name == name]
        return len(printed) == len(named) == 1

    def _fail(
        self, where: str, what: str, *, cause: Exception | None = None, rendered: str | None = None
    ) -> NoReturn:
        error = WidgetTemplateError(f"{self.source}: {where}: {what}")
        error.rendered = rendered
        raise error from cause


@lru_cache(maxsize=256)
def _warn_once(what: str) -> None:
    logger.warning("%s; the widget is made all the same", what)


@lru_cache(maxsize=256)
def _folder_of(source_file: str) -> str:
    return os.path.dirname(os.path.realpath(source_file))


@lru_cache(maxsize=256)
def _read(cls: type[WidgetTemplate], path: str, version: tuple[int, int, int]) -> WidgetTemplate:
    """The template in a file, as long as its time, size and inode are the same."""
    if version[1] > MAX_FILE:
        raise WidgetTemplateError(f"{path}: more than {MAX_FILE} bytes")
    try:
        definition = json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise WidgetTemplateError(
            f"{path}: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except UnicodeDecodeError as error:
        raise WidgetTemplateError(f"{path}: byte {error.start}: not UTF-8") from None
    return cls(definition, source=path)


class _extra:
    """Says what to install where a library is missing."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if isinstance(error, ModuleNotFoundError) and error.name in ("jinja2", "jsonschema_rs"):
            raise ImportError(
                "Widget templates need: pip install 'chatkit-asgi[widgets]'"
            ) from error


def _variables(data: Any) -> dict[str, Any]:
    """``data`` as the variables of a template."""
    if data is None:
        return {}
    if isinstance(data, Mapping):
        return dict(cast("Mapping[str, Any]", data))
    dump: Callable[[], dict[str, Any]] | None = getattr(data, "model_dump", None)
    return msgspec.to_builtins(data) if dump is None else dump()


def _copied(value: Any) -> Any:
    """``value`` with lists of its own, all the way down."""
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in cast("dict[Any, Any]", value).items()}
    return (
        [_copied(each) for each in cast("list[Any]", value)] if isinstance(value, list) else value
    )


def _line_in(filename: str, error: BaseException) -> int | None:
    """The innermost line of the template that ``error`` passed; Jinja makes its tracebacks say so."""
    line, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == filename:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _json_path(keys: Sequence[str | int]) -> str:
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)


def _opened(component: Any) -> Iterator[Any]:
    """``component`` and all below it, in the open form in which others get them too."""
    if isinstance(component, DynamicWidgetComponent):
        yield component
        children = component.children
        elements: list[Any] = cast("Any", children if isinstance(children, list) else [children])
        for child in elements:
            yield from _opened(child)
