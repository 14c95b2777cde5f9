"""An agent in Python. `countersign proxy` beside it signs each request with the task of its thread."""

import json
import os
import urllib.request

# The proxy's URL with /v1, and what `countersign proxy token` prints.
BASE_URL = os.environ["OPENAI_BASE_URL"]
TOKEN = os.environ["OPENAI_API_KEY"]
TOOL = {
    "type": "function",
    "function": {
        "name": "temperature",
        "description": "Says how warm it is in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def ask(messages):
    body = {"model": "any", "messages": messages, "tools": [TOOL]}
    headers = {
        "Authorization": "Bearer " + TOKEN,
        "Content-Type": "application/json",
        "X-Thread-Id": "thread-42",
    }
    request = urllib.request.Request(
        BASE_URL + "/chat/completions", json.dumps(body).encode(), headers
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["choices"][0]["message"]


messages = [{"role": "user", "content": "How warm is it in Paris?"}]
while (message := ask(messages)).get("tool_calls"):
    messages.append(message)
    for call in message["tool_calls"]:
        city = json.loads(call["function"]["arguments"])["city"]
        content = f"21 °C in {city}"
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})
print(message["content"])
