import assert from "node:assert/strict";
// @boundaries-ignore installed beside the programs
import { AgentKey, AgentPublicKey } from "@countersign/agent-key";
import { explain, signAndCheck } from "./sign.js";

assert.match(signAndCheck(AgentKey.generate().exportPkcs8()), / true$/);
assert.throws(
  () => AgentPublicKey.parse("no key"),
  (error) => /^invalid_key: /.test(explain(error)),
);
