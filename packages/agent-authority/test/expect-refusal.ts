import type { Code } from "@countersign/agent-key";
import { faultsOfWording } from "@countersign/testing";
import { expect } from "vitest";
import type { Answer } from "./start-authority.js";

/** Expects a refusal as protocol §5.1 and §9 have it: status, code in the body, `WWW-Authenticate` on 401 alone, `Date`, nothing cached. */
export function expectRefusal(answer: Answer, status: number, code: Code): void {
  expect({ status: answer.status, code: answer.body?.code }).toEqual({ status, code });
  expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
  expect(answer.body).toMatchObject({ status, title: expect.any(String) });
  const message = answer.body.detail ?? answer.body.title;
  expect(faultsOfWording({ code, message, hint: undefined })).toEqual([]);
  expect(answer.body.error).toEqual({ message, type: expect.stringMatching(/_error$/), code });
  expect(answer.headers["www-authenticate"]).toBe(
    status === 401 ? `AgentAssertion error="${code}"` : undefined,
  );
  expect(answer.headers["cache-control"]).toBe("no-store");
  expect(Date.parse(String(answer.headers.date))).not.toBeNaN();
}
