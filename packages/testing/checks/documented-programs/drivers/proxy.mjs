import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { runAgent } from "./child-process.js";
import { sign } from "./signing-proxy.js";

// A signing proxy serves at PROXY with HOME as its home; GATEWAY stands before the API behind it.
const { PROXY, GATEWAY } = process.env;
const run = promisify(execFile);
const read = (file) => readFileSync(new URL(file, import.meta.url), "utf8");

const { stdout: token } = await run("countersign", ["proxy", "token"]);
const env = { ...process.env, OPENAI_BASE_URL: `${PROXY}/v1`, OPENAI_API_KEY: token.trim() };
const file = (name) => new URL(name, import.meta.url).pathname;
const { stdout: ofOpenAi } = await run(process.execPath, [file("openai-client.js")], { env });
assert.equal(ofOpenAi, "hel\nlo\n\nhel\nlo\n");

const { stdout: ofUrllib } = await run("python3", [file("urllib-client.py")], { env });
assert.match(ofUrllib, /"hel".*"lo".*data: \[DONE\]/s);

const script = read("curl.sh")
  .replaceAll("http://127.0.0.1:4800", PROXY)
  .replaceAll("http://127.0.0.1:4700", GATEWAY);
const { stdout: ofCurl } = await run("sh", ["-euc", script], { env });
assert.equal(ofCurl.split("data: [DONE]").length - 1, 3);

const said = [];
console.log = (line) => said.push(line);
const proxy = await sign(() => assert.fail("asked without the client token"), "c".repeat(43));
const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(said[0]);
assert.equal((await fetch(`${url}/v1/x`)).status, 401);
await proxy.close();

const none = async () => ({ kind: "none", reason: "feature_off" });
const thread = { credential: none, refused: async () => undefined, accepted: () => {} };
const ask =
  "fetch(process.env.ANTHROPIC_BASE_URL).then(({ status }) => process.exit(status - 401))";
await runAgent(thread, "http://127.0.0.1:9", process.execPath, ["-e", ask]);
