// chatkit-node-backend-sdk as a server to be tested: its documented wiring (Express), a store in memory.
// npm install && node testee.mjs 8000
import { readFileSync } from "node:fs";
import express from "express";
import { AttachmentStore, ChatKitServer, NotFoundError, Store } from "chatkit-node-backend-sdk";

const path = new URL("../../../chatkit_asgi/conformance/triggers.json", import.meta.url);
const table = JSON.parse(readFileSync(path, "utf8"));
const FEATURES = ["action", "attachments", "flaky", "result"];
const copy = (value) => structuredClone(value);

class MemoryStore extends Store {
  people = new Map();

  of({ user }) {
    if (!this.people.has(user)) {
      this.people.set(user, { threads: new Map(), items: new Map(), attachments: new Map() });
    }
    return this.people.get(user);
  }

  found(value, what) {
    if (value === undefined) throw new NotFoundError(what);
    return copy(value);
  }

  page(rows, limit, after, order) {
    rows = order === "desc" ? [...rows].reverse() : [...rows];
    const start = after ? rows.findIndex((row) => row.id === after) + 1 : 0;
    const data = rows.slice(start, start + limit).map(copy);
    const has_more = start + limit < rows.length;
    return { data, has_more, after: has_more ? data.at(-1).id : null };
  }

  items(threadId, context) {
    const { items } = this.of(context);
    if (!items.has(threadId)) items.set(threadId, []);
    return items.get(threadId);
  }

  async loadThread(id, context) { return this.found(this.of(context).threads.get(id), `thread ${id}`); }
  async saveThread(thread, context) { this.of(context).threads.set(thread.id, copy(thread)); }
  async deleteThread(id, context) {
    this.of(context).threads.delete(id);
    this.of(context).items.delete(id);
  }
  async loadThreads(limit, after, order, context) {
    return this.page(this.of(context).threads.values(), limit, after, order);
  }
  async loadThreadItems(id, after, limit, order, context) {
    return this.page(this.items(id, context), limit, after, order);
  }
  async addThreadItem(id, item, context) { this.items(id, context).push(copy(item)); }
  async saveItem(id, item, context) {
    const rows = this.items(id, context);
    const place = rows.findIndex((row) => row.id === item.id);
    if (place < 0) rows.push(copy(item));
    else rows[place] = copy(item);
  }
  async loadItem(id, itemId, context) {
    return this.found(this.items(id, context).find((row) => row.id === itemId), `item ${itemId}`);
  }
  async deleteThreadItem(id, itemId, context) {
    const rows = this.items(id, context);
    const place = rows.findIndex((row) => row.id === itemId);
    if (place >= 0) rows.splice(place, 1);
  }
  async saveAttachment(attachment, context) {
    this.of(context).attachments.set(attachment.id, copy(attachment));
  }
  async loadAttachment(id, context) { return this.found(this.of(context).attachments.get(id), `attachment ${id}`); }
  async deleteAttachment(id, context) { this.of(context).attachments.delete(id); }
}

class Uploads extends AttachmentStore {
  held = new Map();

  async createAttachment({ name, mime_type }, context) {
    const id = this.generateAttachmentId(mime_type, context);
    const url = `${context.base}/uploads/${id}`;
    this.held.set(id, Buffer.alloc(0));
    const upload_descriptor = { url, method: "PUT", headers: { "x-upload": "1" } };
    const metadata = { private: "conformance-secret" };
    const fields = { id, name, mime_type, upload_descriptor, metadata };
    return mime_type.startsWith("image/")
      ? { ...fields, type: "image", preview_url: url }
      : { ...fields, type: "file" };
  }
  async deleteAttachment(id) { this.held.delete(id); }
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

function* repeated(steps) {
  for (const step of steps) {
    if (!step.repeat) yield step;
    else {
      for (let n = 0; n < step.repeat; n += 1) {
        yield* JSON.parse(JSON.stringify(step.steps).replaceAll("$n", String(n)));
      }
    }
  }
}

class Testee extends ChatKitServer {
  answered = new Set();

  fields(thread, context) {
    return {
      id: this.store.generateItemId("message", thread, context),
      thread_id: thread.id,
      created_at: new Date().toISOString(),
    };
  }

  says(text, thread, context) {
    const content = [{ type: "output_text", text, annotations: [] }];
    const item = { ...this.fields(thread, context), type: "assistant_message", content };
    return { type: "thread.item.done", item };
  }

  async *respond(thread, message, context) {
    if (!message) {
      yield this.says(await this.result(thread, context), thread, context);
      return;
    }
    const text = message.content.map((part) => part.text).join("");
    if (text === "conformance: triggers") {
      const names = [...Object.keys(table.triggers), ...FEATURES].join(" ");
      yield this.says(`conformance triggers: ${names}`, thread, context);
    } else if (text === "conformance: flaky") {
      if (this.answered.has(message.id)) throw new Error("conformance-secret");
      this.answered.add(message.id);
      yield this.says("first", thread, context);
    } else {
      const known = table.triggers[text.replace(table.prefix, "")];
      if (!text.startsWith(table.prefix) || !known) yield this.says(`You said: ${text}`, thread, context);
      else yield* this.play(known.steps, thread, context);
    }
  }

  async *play(steps, thread, context) {
    const made = new Map();
    const fresh = (name) => {
      if (!made.has(name)) made.set(name, this.fields(thread, context));
      return made.get(name);
    };
    const filled = (value) => {
      if (Array.isArray(value)) return value.map(filled);
      if (typeof value === "string" && value.startsWith("$")) return fresh(value).id;
      if (value === null || typeof value !== "object") return value;
      const entries = Object.entries(value).map(([key, inner]) => [key, filled(inner)]);
      const whole = Object.fromEntries(entries);
      const isItem = typeof value.id === "string" && value.id.startsWith("$");
      return isItem ? { ...whole, ...fresh(value.id) } : whole;
    };
    for (const step of repeated(steps)) {
      if ("pause" in step) await pause(step.pause);
      else if ("fail" in step) throw new Error(step.fail);
      else if ("set" in step) Object.assign(thread, copy(step.set));
      else yield filled(step);
    }
  }

  async result(thread, context) {
    const page = await this.store.loadThreadItems(thread.id, null, 20, "desc", context);
    const call = page.data.find((item) => item.type === "client_tool_call" && item.status === "completed");
    return `conformance result: ${JSON.stringify(call?.output ?? null)}`;
  }

  async *action(thread, action, sender, context) {
    if (action.type === "conformance.echo") {
      yield this.says(`conformance payload: ${JSON.stringify(action.payload ?? null)}`, thread, context);
    } else if (action.type === "conformance.replace") {
      const item = copy(sender);
      for (const child of item.widget.children) if (child.id === "body") child.value = "replaced";
      yield { type: "thread.item.replaced", item };
    } else throw new Error("conformance-secret");
  }
}

const uploads = new Uploads();
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const server = new Testee(new MemoryStore(), uploads, quiet);
const app = express();
app.put("/uploads/:id", express.raw({ type: () => true, limit: "10mb" }), (req, res) => {
  if (!uploads.held.has(req.params.id)) return res.status(404).end();
  uploads.held.set(req.params.id, req.body);
  res.end();
});
app.get("/uploads/:id", (req, res) => {
  const held = uploads.held.get(req.params.id);
  return held ? res.type("image/png").send(held) : res.status(404).end();
});
app.use(express.json());
app.post("/chatkit", async (req, res) => {
  const user = /^Bearer (.+)$/.exec(req.headers.authorization ?? "")?.[1];
  if (!user) return res.status(401).json({ message: "Sign in first." });
  const context = { user, base: `http://${req.headers.host}` };
  const result = await server.process(JSON.stringify(req.body), context);
  if (!result.isStreaming) return res.json(result.toJSON());
  res.setHeader("Content-Type", "text/event-stream");
  res.setHeader("Cache-Control", "no-cache");
  res.setHeader("Connection", "keep-alive");
  for await (const chunk of result) res.write(chunk);
  res.end();
});
app.listen(Number(process.argv[2] ?? 8000), "127.0.0.1");
