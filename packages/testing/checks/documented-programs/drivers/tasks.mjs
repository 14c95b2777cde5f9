import assert from "node:assert/strict";
import { join } from "node:path";
import { auth } from "./open-thread.mjs";
import { sessionLogStore } from "./session-log.js";
import { takeTurns } from "./thread.js";

const { AUTHORITY, HOME } = process.env;

const turns = await takeTurns(AUTHORITY, auth, join(HOME, "agent"));
assert.match(turns[0], /^first turn in task_/);
assert.equal(turns[1], turns[0].replace("first", "second"));
assert.deepEqual(await takeTurns(AUTHORITY, auth, join(HOME, "agent")), turns);
assert.equal(await sessionLogStore(join(HOME, "session.jsonl")).load("thread-42"), undefined);

// Tests, which Node's runner counts.
await import("./session-log-contract.js");
