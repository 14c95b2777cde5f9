import { CountersignError } from "@countersign/agent-key";
import * as z from "zod";
import { checkAgentRegistration } from "./check/check-agent-registration.js";
import { checkAnswers } from "./check/check-answers.js";
import { checkAssertions } from "./check/check-assertions.js";
import { checkCallerToken } from "./check/check-caller-token.js";
import { checkCodexCapture } from "./check/check-codex-capture.js";
import { checkDerivations } from "./check/check-derivations.js";
import { checkDirectory } from "./check/check-directory.js";
import { checkIdentityJwt } from "./check/check-identity-jwt.js";
import { checkKeyRotation } from "./check/check-key-rotation.js";
import { checkKeys } from "./check/check-keys.js";
import { checkOwnEnd } from "./check/check-own-end.js";
import { checkPlainTaskRegistration } from "./check/check-plain-task-registration.js";
import { checkRefusals } from "./check/check-refusals.js";
import { checkRegistrationProof } from "./check/check-registration-proof.js";
import { checkRegistrationRequests } from "./check/check-registration-requests.js";
import { checkRequests } from "./check/check-requests.js";
import { checkTaskRegistration } from "./check/check-task-registration.js";
import { ConformanceError } from "./conformance-error.js";
import { printable } from "./printable.js";
import { agentRegistrationFileSchema } from "./schema/agent-registration-file.js";
import { answersFileSchema } from "./schema/answers-file.js";
import { assertionsFileSchema } from "./schema/assertions-file.js";
import { callerTokenFileSchema } from "./schema/caller-token-file.js";
import { codexCaptureFileSchema } from "./schema/codex-capture-file.js";
import { derivationsFileSchema } from "./schema/derivations-file.js";
import { directoryFileSchema } from "./schema/directory-file.js";
import { identityJwtFileSchema } from "./schema/identity-jwt-file.js";
import { keyRotationFileSchema } from "./schema/key-rotation-file.js";
import { keysFileSchema } from "./schema/keys-file.js";
import { ownEndFileSchema } from "./schema/own-end-file.js";
import { plainTaskRegistrationFileSchema } from "./schema/plain-task-registration-file.js";
import { refusalsFileSchema } from "./schema/refusals-file.js";
import { registrationProofFileSchema } from "./schema/registration-proof-file.js";
import { registrationRequestsFileSchema } from "./schema/registration-requests-file.js";
import { requestsFileSchema } from "./schema/requests-file.js";
import { taskRegistrationFileSchema } from "./schema/task-registration-file.js";
import type { VectorCheck } from "./vector-check.js";

const forms: ReadonlyMap<string, (value: unknown) => readonly VectorCheck[]> = new Map([
  ["countersign.keys/1", (value: unknown) => checkKeys(keysFileSchema.parse(value))],
  [
    "countersign.agent-registration/1",
    (value) => checkAgentRegistration(agentRegistrationFileSchema.parse(value)),
  ],
  [
    "countersign.task-registration/1",
    (value) => checkTaskRegistration(taskRegistrationFileSchema.parse(value)),
  ],
  [
    "countersign.plain-task-registration/1",
    (value) => checkPlainTaskRegistration(plainTaskRegistrationFileSchema.parse(value)),
  ],
  ["countersign.assertions/1", (value) => checkAssertions(assertionsFileSchema.parse(value))],
  [
    "countersign.codex-capture/1",
    (value) => checkCodexCapture(codexCaptureFileSchema.parse(value)),
  ],
  ["countersign.derivations/1", (value) => checkDerivations(derivationsFileSchema.parse(value))],
  ["countersign.directory/1", (value) => checkDirectory(directoryFileSchema.parse(value))],
  ["countersign.identity-jwt/1", (value) => checkIdentityJwt(identityJwtFileSchema.parse(value))],
  ["countersign.key-rotation/1", (value) => checkKeyRotation(keyRotationFileSchema.parse(value))],
  ["countersign.own-end/1", (value) => checkOwnEnd(ownEndFileSchema.parse(value))],
  ["countersign.refusals/1", (value) => checkRefusals(refusalsFileSchema.parse(value))],
  [
    "countersign.registration-proof/1",
    (value) => checkRegistrationProof(registrationProofFileSchema.parse(value)),
  ],
  [
    "countersign.registration-requests/1",
    (value) => checkRegistrationRequests(registrationRequestsFileSchema.parse(value)),
  ],
  ["countersign.requests/1", (value) => checkRequests(requestsFileSchema.parse(value))],
  ["countersign.caller-token/1", (value) => checkCallerToken(callerTokenFileSchema.parse(value))],
  ["countersign.answers/1", (value) => checkAnswers(answersFileSchema.parse(value))],
]);

/**
 * Makes the checks of one vector file.
 *
 * @param file - its name, for messages
 * @param text - its content
 * @throws {ConformanceError} `config_invalid` when it is no JSON, or no vector file of a known form
 */
export function loadVectorFile(file: string, text: string): readonly VectorCheck[] {
  const value = parseJson(file, text);
  const form = formOf(value);
  const load = typeof form === "string" ? forms.get(form) : undefined;
  if (load === undefined) {
    const what = typeof form === "string" ? `unknown form "${printable(form)}"` : "no member form";
    throw unusable(file, what, { hint: `known forms: ${[...forms.keys()].join(", ")}` });
  }
  try {
    return load(value);
  } catch (cause) {
    if (cause instanceof z.ZodError) throw unusable(file, describe(cause), { cause });
    if (CountersignError.is(cause)) throw unusable(file, cause.message, { cause });
    // What remains is a file of the right form that no engine can take, for instance nested a million deep.
    throw unusable(file, "cannot be taken as vectors", { cause });
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The engine's message repeats a piece of the text, which may be a key: it is not kept, not even as cause.
    throw unusable(file, "is not JSON");
  }
}

function formOf(value: unknown): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "form")
    ? Reflect.get(value, "form")
    : undefined;
}

function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  const path = issue?.path.map(String).join(".") ?? "";
  return `${path === "" ? "" : `${printable(path)}: `}${printable(issue?.message ?? "has another form")}`;
}

function unusable(
  file: string,
  what: string,
  options: { readonly hint?: string; readonly cause?: unknown } = {},
): ConformanceError {
  return new ConformanceError("config_invalid", `${printable(file)}: ${what}`, {
    hint: "give files of the forms that the package's own vectors have",
    ...options,
  });
}
