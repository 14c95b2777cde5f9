# One call by urllib, as the environment sets it up. Argument: ask or stream. Prints the answer, or the error in one line of standard error.
import http.client
import json
import os
import sys
import urllib.error
import urllib.request

is_stream = sys.argv[1] == "stream"
messages = [{"role": "user", "content": "Say hello."}]
request = urllib.request.Request(
    os.environ["OPENAI_BASE_URL"] + "/chat/completions",
    data=json.dumps({"model": "any", "messages": messages, "stream": is_stream}).encode(),
    headers={
        "Authorization": "Bearer " + os.environ["OPENAI_API_KEY"],
        "Content-Type": "application/json",
    },
)
try:
    with urllib.request.urlopen(request) as answer:
        if is_stream:
            for line in answer:
                if line.startswith(b"data: {"):
                    delta = json.loads(line[6:])["choices"][0]["delta"]
                    print(delta.get("content", ""), end="", flush=True)
        else:
            print(json.load(answer)["choices"][0]["message"]["content"], end="")
except urllib.error.HTTPError as error:
    problem = json.load(error)
    told = {"name": "HTTPError", "code": problem["code"], "message": problem["detail"]}
    print(json.dumps(told), file=sys.stderr)
    sys.exit(1)
except (OSError, http.client.HTTPException) as error:
    told = {"name": type(error).__name__, "message": str(error)}
    print(json.dumps(told), file=sys.stderr)
    sys.exit(1)
