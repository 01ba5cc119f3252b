"""One JSON document for each shape on the wire, as openai-chatkit 1.6.5 writes them."""
# ruff: noqa: E501 (a document is one line)

from __future__ import annotations

from typing import Any

from chatkit_asgi import types as t

HEAD = '"thread_id":"thr_1","created_at":"2026-03-14T09:26:53.589793Z"'

REQUESTS: list[str] = [
    '{"type":"threads.create","params":{"input":{"content":[{"type":"input_text","text":"Compare Q3"}],"attachments":["atc_1"],"quoted_text":"Revenue fell 4%","inference_options":{"tool_choice":{"id":"search"},"model":"fast"}}},"metadata":{}}',
    '{"type":"threads.add_user_message","params":{"thread_id":"thr_1","input":{"content":[{"type":"input_text","text":"Compare "},{"type":"input_tag","id":"acct_12","text":"Acme","data":{"tier":"gold"},"group":"Accounts","interactive":true}],"attachments":[],"inference_options":{}}},"metadata":{"a":[null]}}',
    '{"type":"threads.add_client_tool_output","params":{"thread_id":"thr_1","result":{"ids":["a","b"],"cursor":null}},"metadata":{}}',
    '{"type":"threads.add_structured_input","params":{"thread_id":"thr_1","item_id":"msg_1","input":{"status":"answered","answers":{"size":{"values":["S"],"skipped":false},"note":{"values":[],"skipped":true}}}},"metadata":{}}',
    '{"type":"threads.retry_after_item","params":{"thread_id":"thr_1","item_id":"msg_1"},"metadata":{}}',
    '{"type":"threads.custom_action","params":{"thread_id":"thr_1","item_id":"msg_1","action":{"type":"mail.send","payload":{"id":7}}},"metadata":{}}',
    '{"type":"threads.sync_custom_action","params":{"thread_id":"thr_1","item_id":"msg_1","action":{"type":"mail.star"}},"metadata":{}}',
    '{"type":"threads.get_by_id","params":{"thread_id":"thr_1"},"metadata":{}}',
    '{"type":"threads.list","params":{"limit":9999,"order":"desc","after":"thr_2"},"metadata":{}}',
    '{"type":"items.list","params":{"thread_id":"thr_1","order":"asc"},"metadata":{}}',
    '{"type":"items.feedback","params":{"thread_id":"thr_1","item_ids":["msg_1"],"kind":"positive"},"metadata":{}}',
    '{"type":"attachments.create","params":{"name":"q3.pdf","size":48213,"mime_type":"application/pdf"},"metadata":{}}',
    '{"type":"attachments.delete","params":{"attachment_id":"atc_1"},"metadata":{}}',
    '{"type":"threads.update","params":{"thread_id":"thr_1","title":"Q3 questions"},"metadata":{}}',
    '{"type":"threads.delete","params":{"thread_id":"thr_1"},"metadata":{}}',
    '{"type":"input.transcribe","params":{"audio_base64":"GkXfo59C","mime_type":"audio/webm;codecs=opus"},"metadata":{}}',
]

ITEMS: list[str] = [
    f'{{"id":"m",{HEAD},"type":"user_message",{rest}}}'
    for rest in (
        '"content":[{"type":"input_text","text":"Compare "},{"type":"input_tag","id":"a","text":"Acme","data":{"tier":"gold"},"group":"Accounts","interactive":true}],"attachments":[{"id":"atc_1","name":"q3.pdf","mime_type":"application/pdf","thread_id":"thr_1","type":"file"},{"id":"atc_2","name":"plot.png","mime_type":"image/png","thread_id":"thr_1","type":"image","preview_url":"https://cdn.test/p/77e1.png"}],"quoted_text":"Revenue fell 4%","inference_options":{"tool_choice":{"id":"search"},"model":"fast"}',
        '"content":[{"type":"input_text","text":"Hello"}],"attachments":[],"inference_options":{}',
    )
] + [
    f'{{"id":"m",{HEAD},"type":{rest}}}'
    for rest in (
        '"assistant_message","content":[{"annotations":[{"type":"annotation","source":{"title":"Q3 report","description":"Press note","timestamp":"2026-03-01","group":"News","type":"url","url":"https://news.test/q3","attribution":"News Test"},"index":15},{"type":"annotation","source":{"title":"Acme","type":"entity","id":"acct_12","icon":"suitcase","label":"Customer","inline_label":"Acme","interactive":true,"data":{"href":"/a/12"}},"index":4},{"type":"annotation","source":{"title":"Acme","type":"entity","id":"acct_12","interactive":false,"data":{}}},{"type":"annotation","source":{"title":"A","description":"d","timestamp":"t","group":"g","type":"file","filename":"a.txt"},"index":0}],"text":"Revenue fell 4% [1].","type":"output_text"}]',
        '"assistant_message","content":[]',
        '"client_tool_call","status":"pending","call_id":"call_71","name":"get_selection","arguments":{"layer":"roads","limit":null}',
        '"client_tool_call","status":"completed","call_id":"call_71","name":"get_selection","arguments":{"layer":"roads"},"output":{"ids":["a","b"],"cursor":null}',
        '"widget","widget":{"type":"Card","children":[{"id":"t1","type":"Text","value":"Draft ready"},{"type":"Button","label":"Send","onClickAction":{"type":"mail.send","payload":{"id":7}}}],"size":"sm"},"copy_text":"Draft ready"',
        '"generated_image"',
        '"generated_image","image":{"id":"ig_01","url":"https://cdn.test/ig_01.png"}',
        '"structured_input","status":"pending","inputs":[{"id":"size","question":"Which size?","type":"multiple_choice","options":[{"value":"S"},{"value":"L"}],"multiple":false},{"id":"note","question":"Anything else?","type":"freeform","description":"Optional"}]',
        '"structured_input","status":"answered","inputs":[{"id":"size","question":"Which size?","answer":{"values":["S"],"skipped":false},"type":"multiple_choice","options":[{"value":"S"}],"multiple":false},{"id":"note","question":"Anything else?","answer":{"values":[],"skipped":true},"type":"freeform"}]',
        '"task","task":{"status_indicator":"complete","type":"web_search","title":"Searching","title_query":"q3 revenue","queries":["acme q3"],"sources":[{"title":"Q3 report","type":"url","url":"https://news.test/q3"}]}',
        '"workflow","workflow":{"type":"reasoning","tasks":[{"status_indicator":"none","type":"thought","content":"Check the ledger first"}],"summary":{"duration":7},"expanded":false}',
        '"workflow","workflow":{"type":"custom","tasks":[{"status_indicator":"loading","type":"custom","title":"Fetch","icon":"globe","content":"3 pages"},{"status_indicator":"none","type":"file","title":"Read","sources":[{"title":"Q3","type":"file","filename":"q3.pdf"}]},{"status_indicator":"none","type":"image","title":"Draw"}],"summary":{"title":"Did 3 things","icon":"bolt"},"expanded":true}',
        '"end_of_turn"',
        '"hidden_context_item","content":{"clicked":"mail.send","at":null}',
        '"sdk_hidden_context","content":"stopped by user"',
    )
]

THREAD = '{"title":"Q3","id":"thr_1","created_at":"2026-03-14T09:26:53.589793Z","status":{"type":"locked","reason":"Under review"},"allowed_image_domains":["cdn.test"],"metadata":{},"items":{"data":[],"has_more":false}}'
BARE_THREAD = '{"id":"thr_1","created_at":"2026-03-14T09:26:53Z","status":{"type":"active"},"metadata":{},"items":{"data":[],"has_more":true,"after":"m"}}'

UPDATES: list[str] = [
    '{"type":"assistant_message.content_part.added","content_index":0,"content":{"annotations":[],"text":"","type":"output_text"}}',
    '{"type":"assistant_message.content_part.text_delta","content_index":0,"delta":"Rev"}',
    '{"type":"assistant_message.content_part.annotation_added","content_index":0,"annotation_index":0,"annotation":{"type":"annotation","source":{"title":"q3.pdf","type":"file","filename":"q3.pdf"},"index":15}}',
    '{"type":"assistant_message.content_part.done","content_index":0,"content":{"annotations":[],"text":"Revenue fell.","type":"output_text"}}',
    '{"type":"widget.streaming_text.value_delta","component_id":"t1","delta":" now","done":false}',
    '{"type":"widget.root.updated","widget":{"type":"Card","children":[{"type":"Text","value":"v2"}]}}',
    '{"type":"widget.component.updated","component_id":"t1","component":{"id":"t1","type":"Text","value":"v2"}}',
    '{"type":"workflow.task.added","task_index":0,"task":{"status_indicator":"none","type":"thought","content":"Check"}}',
    '{"type":"workflow.task.updated","task_index":0,"task":{"status_indicator":"complete","type":"custom","title":"Fetch"}}',
    '{"type":"generated_image.updated","image":{"id":"ig_01","url":"data:image/png;base64,iVBO"},"progress":0.5}',
]

EVENTS: list[str] = [
    *(
        f'{{"type":"thread.{kind}","thread":{thread}}}'
        for kind in ("created", "updated")
        for thread in (THREAD, BARE_THREAD)
    ),
    *(
        f'{{"type":"thread.item.{kind}","item":{item}}}'
        for kind in ("added", "done", "replaced")
        for item in ITEMS
    ),
    *(f'{{"type":"thread.item.updated","item_id":"m","update":{update}}}' for update in UPDATES),
    '{"type":"thread.item.removed","item_id":"m"}',
    '{"type":"stream_options","stream_options":{"allow_cancel":true}}',
    '{"type":"progress_update","icon":"lucide:loader","text":"Reading files"}',
    '{"type":"progress_update","text":"Reading files"}',
    '{"type":"client_effect","name":"open_panel","data":{"panel":"orders","focus":null}}',
    '{"type":"client_effect","name":"ping","data":{}}',
    '{"type":"error","code":"custom","message":"Quota reached","allow_retry":false}',
    '{"type":"error","code":"stream.error","allow_retry":true}',
    '{"type":"notice","level":"warning","message":"2 messages left.","title":"Limit"}',
    '{"type":"notice","level":"info","message":"Saved"}',
]

ANSWERS: list[tuple[Any, str]] = [
    (t.Thread, THREAD),
    (t.Page[t.Thread], f'{{"data":[{THREAD},{BARE_THREAD}],"has_more":false}}'),
    (t.Page[t.ThreadItem], f'{{"data":[{",".join(ITEMS)}],"has_more":true,"after":"m"}}'),
    (
        t.Attachment,
        '{"id":"atc_1","name":"f","mime_type":"a/b","upload_descriptor":{"url":"https://blobs.test/up?x=1","method":"PUT","headers":{"x-a":"b"}},"type":"file"}',
    ),
    (t.TranscriptionResult, '{"text":"hello"}'),
    (t.SyncCustomActionResponse, f'{{"updated_item":{ITEMS[0]}}}'),
    (t.SyncCustomActionResponse, "{}"),
]

SAMPLES: list[tuple[Any, str]] = [
    *((t.ChatKitReq, text) for text in REQUESTS),
    *((t.ThreadItem, text) for text in ITEMS),
    *((t.ThreadItemUpdate, text) for text in UPDATES),
    *((t.ThreadStreamEvent, text) for text in EVENTS),
    *ANSWERS,
]
"""Each with the type it is of. Every one is written back as it stands."""
