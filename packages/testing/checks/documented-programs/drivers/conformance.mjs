import assert from "node:assert/strict";
import { run } from "./run.js";

assert.match(await run(), /^[1-9]\d* passed, 0 failed$/);
assert.match(await run("/nowhere"), /^\w+: /);
