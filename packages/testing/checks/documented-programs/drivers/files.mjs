import assert from "node:assert/strict";
import { join } from "node:path";
import { countUp } from "./counter.js";

const home = join(process.env.HOME, "counted");
assert.deepEqual([await countUp(home), await countUp(home)], [1, 2]);
