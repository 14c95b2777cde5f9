import { expect, expectTypeOf, it } from "vitest";
import { fromWireNames, toWireNames } from "./wire-names.js";

interface Info {
  readonly agentRuntimeId: string;
  readonly id: string;
  readonly lastTokenEndsAt: string | undefined;
  readonly revokedAt: string | undefined;
}

const info: Info = {
  agentRuntimeId: "agent_1",
  id: "1",
  lastTokenEndsAt: "2026-04-15T12:00:00Z",
  revokedAt: undefined,
};

it("names members as the wire does, and leaves out what is undefined", () => {
  const entry = toWireNames(info);
  expect(Object.entries(entry)).toEqual([
    ["agent_runtime_id", "agent_1"],
    ["id", "1"],
    ["last_token_ends_at", "2026-04-15T12:00:00Z"],
  ]);
  expectTypeOf(entry.agent_runtime_id).toEqualTypeOf<string>();
  expectTypeOf(entry.revoked_at).toEqualTypeOf<string | undefined>();
});

it("reads the names of the wire back", () => {
  const read = fromWireNames(toWireNames(info));
  expect(read).toEqual(info);
  expectTypeOf(read.agentRuntimeId).toEqualTypeOf<string>();
});
