"""An Agents SDK assistant of a restaurant: tools that tell their progress and show widgets, a form, and its action.

Ask for the "menu", or for a "table" and fill in the form.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from agents import Agent, RunContextWrapper, Runner, function_tool
from msgspec import Struct

from chatkit_asgi import ChatKitApp, ChatKitRouter
from chatkit_asgi.agents import (
    AgentContext,
    ThreadItemConverter,
    load_history,
    stream_agent_response,
)
from chatkit_asgi.ids import random_id
from chatkit_asgi.store import SQLiteStore
from chatkit_asgi.types import HiddenContextItem
from chatkit_asgi.widgets import (
    Caption,
    Card,
    ListView,
    ListViewItem,
    Row,
    Text,
    Title,
    WidgetTemplate,
)

store: SQLiteStore[Any] = SQLiteStore("restaurant.db")
chat: ChatKitRouter[Any] = ChatKitRouter(store)

DISHES = {"Italian": ["Risotto", "Gnocchi", "Panna cotta"], "Swiss": ["Rösti", "Fondue"]}


@function_tool
async def show_menu(ctx: RunContextWrapper[AgentContext], cuisine: str) -> str:
    """Show the dishes of a cuisine."""
    await ctx.context.stream_progress("Asking the kitchen", icon="search")
    dishes = DISHES.get(cuisine, [])

    async def states() -> AsyncIterator[ListView]:
        for count in range(1, len(dishes) + 1):
            shown = [ListViewItem(key=dish, children=[Text(value=dish)]) for dish in dishes[:count]]
            yield ListView(children=shown)

    if dishes:
        await ctx.context.stream_widget(states(), copy_text="\n".join(dishes))
    return ", ".join(dishes) or "There is nothing of that cuisine."


@function_tool
async def offer_table(ctx: RunContextWrapper[AgentContext], guests: int) -> str:
    """Show a form to book a table."""
    form = WidgetTemplate.from_file("templates/table.widget")
    await ctx.context.stream_widget(form.build({"offer": random_id("offer"), "guests": guests}))
    return "The form is on the screen; the booking comes when it is sent."


agent = Agent[AgentContext](
    name="Waiter",
    model="gpt-4.1",
    instructions="You are the waiter of a small restaurant. Show the menu and offer tables by your tools.",
    tools=[show_menu, offer_table],
)


@chat.respond
async def respond(thread: Any, message: Any, context: Any) -> AsyncIterator[Any]:
    run = AgentContext(thread=thread, store=store, request_context=context)
    history = await load_history(store, thread, context)
    items = await ThreadItemConverter().to_agent_input(history.with_note())
    result = Runner.run_streamed(agent, items, context=run)
    async for event in stream_agent_response(run, result):
        yield event


class Booking(Struct):
    """The form's values, and the payload of its own action."""

    offer: str
    name: str
    guests: int
    terrace: bool = False


@chat.action("table.book", payload=Booking, form=True)
async def book(thread: Any, action: Any, sender: Any, context: Any) -> AsyncIterator[Any]:
    booking: Booking = action.payload
    where = "on the terrace" if booking.terrace else "inside"
    # The form gives its place to the booking, so that it cannot be sent twice ...
    yield sender.replaced_by(
        Card(
            children=[
                Title(value=f"Booked for {booking.name}", size="sm"),
                Row(children=[Caption(value=f"{booking.guests} guests, {where}")]),
            ]
        )
    )
    # ... and the model is told.
    yield HiddenContextItem(
        id=store.generate_item_id("message", thread, context),
        thread_id=thread.id,
        created_at=sender.created_at,
        content=f"{booking.name} has booked a table for {booking.guests}, {where}.",
    )
    thread.title = f"Table for {booking.guests}"
    yield f"See you soon, {booking.name}!"


app = ChatKitApp(chat)
