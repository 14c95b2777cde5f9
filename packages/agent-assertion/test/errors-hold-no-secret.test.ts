import { inspect } from "node:util";
import { afterEach, expect, test } from "vitest";
import { createVerifier, memoryDirectory } from "../src/index.js";
import { remoteDirectory } from "../src/remote-directory.js";
import { closeAll, open, setUp, unavailable } from "./directory-scene.js";
import { failureOf } from "./expect-rejection.js";
import {
  AGENT_ID,
  AUTHORITY,
  agent,
  fieldOf,
  header,
  membersOf,
  NOW,
  otherKey,
  task,
} from "./fixtures.js";

afterEach(closeAll);

const known = {
  authority: AUTHORITY,
  agents: [agent],
  tasks: [{ ...task, agentRuntimeId: AGENT_ID }],
};
const envelope = header.split(" ")[1] ?? "";
const { signature = "" } = membersOf(header);

test.each<[string, string, Parameters<typeof memoryDirectory>[0], number]>([
  ["malformed", `${header}=`, known, NOW],
  ["malformed", fieldOf(JSON.stringify({ ...membersOf(header), timestamp: "now" })), known, NOW],
  ["expired", header, known, NOW + 3_600_000],
  ["unknown_agent", header, { ...known, agents: [], tasks: [] }, NOW],
  [
    "bad_signature",
    header,
    { ...known, agents: [{ ...agent, publicKeys: [otherKey.publicKey] }] },
    NOW,
  ],
  ["unknown_task", header, { ...known, tasks: [] }, NOW],
  ["agent_revoked", header, { ...known, agents: [{ ...agent, state: "revoked" }] }, NOW],
])("a rejection with %s holds no part of the header (G-H12)", async (code, field, content, now) => {
  const verifier = createVerifier({ directory: memoryDirectory(content), now: () => now });
  const error = await failureOf(() => verifier.verify(field));
  const shown = inspect(error, { depth: null, showHidden: true }) + JSON.stringify(error);
  expect(error).toMatchObject({ code });
  expect(shown).not.toContain(envelope.slice(0, 40));
  expect(shown).not.toContain(signature.slice(0, 20));
});

test.each(["unreachable", "server_error", "unauthenticated"])(
  "a lookup that fails with %s holds no token (G-H12)",
  async (code) => {
    const token = "cs_rs_0123456789secret";
    const scene = await setUp({ token });
    scene.answer = code === "unauthenticated" ? { status: 401 } : unavailable;
    const nowhere = remoteDirectory("http://127.0.0.1:1", { token });
    open.push(nowhere);
    const directory = code === "unreachable" ? nowhere : scene.directory;
    const error = await failureOf(() => directory.agent(AGENT_ID));
    expect(error).toMatchObject({ code });
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(token);
  },
);
