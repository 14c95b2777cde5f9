import { AgentKey, encodeBase64 } from "@countersign/agent-key";
import { expectThrow } from "@countersign/testing/vitest";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codexVectors, taskRegistrationVectors } from "../../test/vectors.js";
import { AgentTaskError } from "../agent-task-error.js";
import { openSealedBox } from "../open-sealed-box.js";
import { parseTaskRegistrationResponse } from "./task-registration.js";

const key = AgentKey.generate();

describe("parseTaskRegistrationResponse", () => {
  for (const vector of taskRegistrationVectors.invalid_responses) {
    it(`rejects ${vector.name}`, () => {
      const agentKey = AgentKey.importPkcs8(vector.private_key_pkcs8_base64);
      expectThrow(
        () => parseTaskRegistrationResponse(vector.body, agentKey),
        AgentTaskError,
        "bad_response",
      );
    });
  }

  it("rejects anything that is no object, and never throws another error", () => {
    fc.assert(
      fc.property(fc.anything(), (body) => {
        expectThrow(() => parseTaskRegistrationResponse(body, key), AgentTaskError, "bad_response");
      }),
    );
  });

  it("rejects an end that is no RFC 3339 instant", () => {
    for (const end of [
      "tomorrow",
      "2026-02-30T00:00:00Z",
      1776000000,
      "2026-04-16",
      "9999-12-31T23:59:59-23:00",
      "0000-01-01T00:00:00Z",
    ]) {
      expectThrow(
        () => parseTaskRegistrationResponse({ task_id: "task-1", expires_at: end }, key),
        AgentTaskError,
        "bad_response",
      );
    }
  });

  it("rejects an id behind a byte order mark", () => {
    expectThrow(
      () => parseTaskRegistrationResponse({ task_id: "\ufefftask-1" }, key),
      AgentTaskError,
      "bad_response",
    );
  });

  for (const vector of taskRegistrationVectors.responses) {
    it(`reads ${vector.name}`, () => {
      const agentKey = AgentKey.importPkcs8(vector.private_key_pkcs8_base64);
      expect(parseTaskRegistrationResponse(vector.body, agentKey).taskId).toBe(vector.task_id);
    });
  }

  it("reads the end of a task, with an offset too", () => {
    const end = Date.UTC(2026, 3, 16);
    for (const text of ["2026-04-16T00:00:00Z", "2026-04-16T02:00:00.000+02:00"]) {
      expect(
        parseTaskRegistrationResponse({ task_id: "task-1", expires_at: text }, key).expiresAt,
      ).toBe(end);
    }
  });

  it("takes null for an absent member", () => {
    const body = { task_id: null, taskId: "task-2", encrypted_task_id: null, expires_at: null };
    expect(parseTaskRegistrationResponse(body, key)).toEqual({ taskId: "task-2" });
  });

  it("prefers snake case, and plain over sealed", () => {
    const sealed = encodeBase64(new Uint8Array(60));
    expect(
      parseTaskRegistrationResponse({ taskId: "b", task_id: "a", encrypted_task_id: sealed }, key),
    ).toEqual({ taskId: "a" });
  });
});

describe("openSealedBox", () => {
  it("opens what libsodium sealed for Codex, with both forms of the key", () => {
    const box = Buffer.from(codexVectors.sealed_box_sample.b64, "base64");
    expect(box.length).toBe(codexVectors.sealed_box_sample.len);
    for (const form of [codexVectors.pkcs8_v1_b64, codexVectors.pkcs8_v2_b64]) {
      const opened = openSealedBox(box, AgentKey.importPkcs8(form));
      expect(Buffer.from(opened).toString()).toBe(codexVectors.sealed_box_sample.plaintext);
    }
  });

  it("rejects any bytes that were not sealed for this key", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expectThrow(() => openSealedBox(bytes, key), AgentTaskError, "bad_response");
      }),
    );
  });

  it("rejects a box whose one-time key is of small order", () => {
    const box = new Uint8Array(64);
    expectThrow(() => openSealedBox(box, key), AgentTaskError, "bad_response");
  });
});
