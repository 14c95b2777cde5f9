import { TooManyLookups } from "@countersign/agent-assertion";
import { type Code, CountersignError } from "@countersign/agent-key";
import { codeRow } from "@countersign/agent-key/codes";
import { createProblem, type Problem } from "@countersign/agent-key/problem";
import { quotaHeaders, RateLimited } from "../limits/quota.js";
import { Refusal } from "../registry/refusal.js";
import { isStoreFailure } from "../store/store-failure.js";

const UNUSABLE = "the database cannot be used";
const RETRY_AFTER_SECONDS = 1;
const MAX_DETAIL_CHARACTERS = 512;

/** A refusal ready to be written, with its code for the log. */
export interface CodedProblem extends Problem {
  readonly code: Code;
  /** Whether the error is a defect, which an operator should see. */
  readonly isInternal: boolean;
}

/** Turns whatever a request's handling threw into the answer. Nothing internal is told. */
export function toProblem(error: unknown): CodedProblem {
  if (error instanceof RateLimited) {
    const { quota } = error;
    const problem = coded("rate_limited", error.message, { retryAfterSeconds: quota.resetSeconds });
    return { ...problem, headers: { ...problem.headers, ...quotaHeaders([quota]) } };
  }
  if (TooManyLookups.is(error)) return createBusyProblem("the authority is busy");
  if (CountersignError.is(error)) {
    if (isTold(error.code)) {
      const status = error instanceof Refusal ? error.status : undefined;
      return coded(error.code, detailOf(error), status === undefined ? {} : { status });
    }
    // An issuer that does not answer is `unreachable` as well, and has a text of its own.
    if (error.code === "unreachable") return createBusyProblem(error.message);
    if (isStoreFailure(error)) {
      return createBusyProblem(error.code === "store_locked" ? "the authority is busy" : UNUSABLE);
    }
  }
  const status = clientErrorStatus(error);
  if (status !== undefined) return coded("invalid_request", REQUEST_FAULTS[status], { status });
  return { ...coded("server_error", undefined, { status: 500 }), isInternal: true };
}

// A refusal of the request is told by name. Everything else is this server's own trouble.
function isTold(code: Code): boolean {
  const { givenBy, status } = codeRow(code);
  return givenBy !== "self" && status < 500;
}

// What Node and Fastify refuse by themselves keeps the status that HTTP has for it.
/** What is wrong with the form of a request, by the status that it is refused with. */
export const REQUEST_FAULTS: Readonly<Record<number, string>> = {
  404: "there is nothing here",
  405: "this takes another method",
  408: "the request took too long to arrive",
  413: "the body is too large",
  414: "a parameter of the path is too long",
  415: "the body must be application/json",
  417: "no expectation but 100-continue is met",
  431: "the headers are too large",
};

/** A refusal of the request's form, with the status that HTTP has for it. */
export function createRequestProblem(status: number, detail?: string): CodedProblem {
  return coded("invalid_request", detail ?? REQUEST_FAULTS[status], { status });
}

/** A refusal for a passing reason: 503 with `Retry-After`. */
export function createBusyProblem(detail: string): CodedProblem {
  return coded("server_error", detail, { retryAfterSeconds: RETRY_AFTER_SECONDS });
}

function coded(
  code: Code,
  detail: string | undefined,
  extra: { status?: number; retryAfterSeconds?: number } = {},
): CodedProblem {
  return { ...createProblem(code, detail, extra), code, isInternal: false };
}

function detailOf(error: CountersignError): string {
  const detail = error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
  return detail.slice(0, MAX_DETAIL_CHARACTERS);
}

function clientErrorStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("statusCode" in error)) return undefined;
  const { statusCode } = error;
  return typeof statusCode === "number" && statusCode >= 400 && statusCode < 500
    ? statusCode
    : undefined;
}
