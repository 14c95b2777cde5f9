import { STATUS_CODES } from "node:http";
import type { Code } from "@countersign/agent-key";
import { meaningOfCode } from "@countersign/agent-key/codes";
import type { Operation } from "../../operations/operation.js";
import { REQUEST_FAULTS } from "../to-problem.js";
import { headerReferences, headersOf } from "./describe-answers.js";
import { EVERY_ANSWER, QUOTAS, RETRYABLE, UNAUTHENTICATED } from "./http-fields.js";
import { commonRefusals, refusalsByStatus } from "./refusals-by-status.js";
import { type Json, referenceTo } from "./schema-members.js";

/** The refusals of an operation by their status. One that is the same for many operations is a reference. */
export function refusalsOf(operation: Operation): Json {
  const common = commonRefusals();
  const described = [...refusalsByStatus(operation)].map(([status, codes]) => [
    status,
    codes.join() === common.get(status)?.join()
      ? referenceTo("responses", nameOf(status))
      : describeRefusal(status, codes, ownHeadersOf(operation, status)),
  ]);
  return Object.fromEntries(described);
}

/** The refusals that {@link refusalsOf} refers to. */
export function sharedRefusals(): Json {
  return Object.fromEntries(
    [...commonRefusals()].map(([status, codes]) => [
      nameOf(status),
      describeRefusal(status, codes),
    ]),
  );
}

function nameOf(status: number): string {
  return `Refusal${status}`;
}

function ownHeadersOf({ refusals = [] }: Operation, status: number): Json {
  const own = refusals.find((refusal) => typeof refusal === "object" && refusal.status === status);
  return typeof own === "object" && own.headers !== undefined ? headersOf(own.headers) : {};
}

function describeRefusal(status: number, codes: readonly Code[], ownHeaders: Json = {}): Json {
  return {
    description: [`${STATUS_CODES[status]}.`, ...codes.map((code) => meaningOf(code, status))].join(
      "\n",
    ),
    headers: {
      ...headerReferences(EVERY_ANSWER),
      ...headerReferences(QUOTAS),
      ...(status === 401 && headerReferences(UNAUTHENTICATED)),
      ...((status === 429 || status === 503) && headerReferences(RETRYABLE)),
      ...ownHeaders,
    },
    content: {
      "application/problem+json": {
        schema: {
          allOf: [
            referenceTo("schemas", "Problem"),
            {
              type: "object",
              additionalProperties: true,
              properties: { status: { const: status }, code: { enum: codes } },
            },
          ],
        },
      },
    },
  };
}

// Codes mean what the table of the protocol says; a refusal of the request's form is known by its status.
function meaningOf(code: Code, status: number): string {
  const fault =
    status === 500
      ? "a defect of the authority, which its log describes"
      : code === "invalid_request" && REQUEST_FAULTS[status];
  return `- \`${code}\`: ${fault || meaningOfCode(code)}.`;
}
