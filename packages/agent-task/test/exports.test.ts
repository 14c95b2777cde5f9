import { CountersignError } from "@countersign/agent-key";
import { CODES, isCode } from "@countersign/agent-key/codes";
import { describe, expect, it } from "vitest";
import * as main from "../src/index.js";
import * as server from "../src/server.js";

describe("exports", () => {
  it("are errors with a guard and a code, under a name of their own", () => {
    const errors = [...Object.values(main), ...Object.values(server)].filter(
      (value): value is typeof main.AgentTaskError =>
        typeof value === "function" && value.prototype instanceof CountersignError,
    );
    expect(new Set(errors.map(({ brandName }) => brandName))).toEqual(
      new Set(["AgentTaskError", "TaskRegistrationError"]),
    );
    const options = { scope: "thread-1" };
    for (const code of CODES) {
      const error = new main.TaskRegistrationError(code, "no task", options);
      expect(isCode(error.code)).toBe(true);
      for (const known of errors) expect(known.is(error)).toBe(true);
      expect(main.TaskRegistrationError.is(new main.AgentTaskError(code, ""))).toBe(false);
    }
  });

  it("of the server are its half of the message alone", () => {
    expect(Object.keys(main)).not.toContain("toX25519PublicKey");
    expect(Object.keys(server).sort()).toEqual([
      "AgentTaskError",
      "createPlainTaskRegistrationResponse",
      "createTaskRegistrationResponse",
      "parseIdempotencyKey",
      "parseTaskRegistrationRequest",
      "plainTaskRegistrationText",
      "sealTaskId",
      "taskRegistrationRequestSchema",
      "taskRegistrationResponseSchema",
      "taskRegistrationText",
      "toX25519PublicKey",
      "verifyTaskRegistration",
    ]);
  });
});
