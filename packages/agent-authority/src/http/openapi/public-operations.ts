import { ASSERTION_WHOAMI_PATH, INTROSPECTION_PATH } from "@countersign/agent-assertion";
import {
  AGENT_REGISTRATION_PATH,
  agentRevocationPath,
  BISCUIT_HEADER,
  BISCUIT_PATH,
  keyRotationPath,
  WHOAMI_PATH,
} from "@countersign/agent-identity";
import type { Code } from "@countersign/agent-key";
import { CODES, codeRow } from "@countersign/agent-key/codes";
import * as z from "zod";
import type { Generation } from "../../authority-types.js";
import { KEY_SET_PATHS } from "../key-set-routes.js";
import { TOKEN_REFRESH_PATH } from "../token-refresh-routes.js";
import { COMMON_OPERATIONS } from "./common-operations.js";
import type { Credential, Operation } from "./operation.js";
import { PUBLIC_SCHEMAS } from "./public-schemas.js";

const AGENT = "{agent_runtime_id}";
const idempotencyKey = z
  .string()
  .regex(/^[!-~]{1,256}$/)
  .exactOptional()
  .describe("A repetition with the same key gives the same task while that lives.");
const cached = z.object({ etag: z.string(), vary: z.string() });

/** What decides which requests the public listener answers, and by which credentials. */
export interface PublicApi {
  readonly generations: ReadonlySet<Generation>;
  /** Whether the caller may ask the directory without a token. */
  readonly isDirectoryOpen: boolean;
}

/** The requests that the public listener answers. */
export function publicOperations({
  generations,
  isDirectoryOpen,
}: PublicApi): readonly Operation[] {
  return [
    ...(generations.has("A") ? [mintBiscuit] : []),
    ...(generations.has("B") ? KEY_SET_PATHS.map(readKeySet) : []),
    registerAgent(generations),
    registerTask(generations),
    rotateKey,
    revokeAgent,
    lookUp(isDirectoryOpen, "getAgent", `/v1/agent/${AGENT}`, "Looks an agent up."),
    lookUp(
      isDirectoryOpen,
      "getTask",
      `/v1/agent/${AGENT}/task/{task_id}`,
      "Looks an agent and one of its tasks up; a task that is unknown or another agent's is null.",
    ),
    introspect,
    assertionWhoami,
    whoami,
    refreshToken,
    ...COMMON_OPERATIONS,
  ];
}

const mintBiscuit: Operation = {
  id: "mintBiscuit",
  method: "get",
  path: BISCUIT_PATH,
  summary: "Mints a biscuit: one-use proof of a human for one registration (generation A).",
  credentials: ["human"],
  headers: z.object({
    "x-request-id": z.string().regex(/^[!-~]{1,256}$/),
    "x-original-method": z.literal("POST"),
    "x-original-url": z.url().describe("The full URL of the registration."),
  }),
  answer: {
    description: "The biscuit stands in the header.",
    schema: PUBLIC_SCHEMAS.Biscuit,
    headers: z.object({ [BISCUIT_HEADER]: z.string().describe("Secret.") }),
  },
  refusals: ["forbidden"],
};

function readKeySet(path: string, index: number): Operation {
  return {
    id: `readKeySet${index + 1}`,
    method: "get",
    path,
    summary: "The public keys that identity JWTs are verified with (generation B).",
    answer: { description: "A JWK set (RFC 7517).", schema: PUBLIC_SCHEMAS.KeySet },
  };
}

function registerAgent(generations: ReadonlySet<Generation>): Operation {
  const credentials: Credential[] = [];
  if (generations.has("C")) credentials.push("human");
  if (generations.has("A")) credentials.push("biscuit");
  return {
    id: "registerAgent",
    method: "post",
    path: AGENT_REGISTRATION_PATH,
    summary:
      "Registers an agent by its public key; the same key of the same human is the same agent.",
    credentials,
    body: PUBLIC_SCHEMAS.AgentRegistrationRequest,
    answer: { description: "The agent.", schema: PUBLIC_SCHEMAS.AgentRegistration },
    refusals: ["biscuit_invalid", "bad_signature", "agent_revoked", "forbidden", "invalid_key"],
  };
}

function registerTask(generations: ReadonlySet<Generation>): Operation {
  return {
    id: "registerTask",
    method: "post",
    path: `/v1/agent/${AGENT}/task/register`,
    summary: "Registers a task of an agent, by the agent's signature.",
    credentials: generations.has("A") ? ["biscuit"] : [],
    isOpen: generations.has("B") || generations.has("C"),
    headers: z.object({ "idempotency-key": idempotencyKey }),
    body: PUBLIC_SCHEMAS.TaskRegistrationRequest,
    answer: {
      description: "The task's id, sealed for the agent's key.",
      schema: PUBLIC_SCHEMAS.TaskRegistration,
    },
    refusals: [
      "biscuit_invalid",
      "expired",
      "not_yet_valid",
      "unknown_agent",
      "bad_signature",
      "agent_revoked",
      "agent_expired",
      "forbidden",
      "invalid_key",
    ],
  };
}

const rotateKey: Operation = {
  id: "rotateKey",
  method: "post",
  path: keyRotationPath(AGENT),
  summary: "Gives an agent a new key, by its human and both keys' signatures.",
  credentials: ["human"],
  body: PUBLIC_SCHEMAS.KeyRotationRequest,
  answer: { description: "The new key counts.", schema: PUBLIC_SCHEMAS.KeyRotation },
  refusals: [
    { code: "unknown_agent", status: 404 },
    "expired",
    "not_yet_valid",
    "bad_signature",
    "agent_revoked",
    "agent_expired",
    "forbidden",
    "invalid_key",
  ],
};

const revokeAgent: Operation = {
  id: "revokeAgent",
  method: "post",
  path: agentRevocationPath(AGENT),
  summary: "Ends an agent of the human's own, and with it all its tasks.",
  credentials: ["human"],
  answer: { description: "It has ended.", schema: PUBLIC_SCHEMAS.AgentRevocation },
  refusals: [{ code: "unknown_agent", status: 404 }, "forbidden"],
};

function lookUp(isOpen: boolean, id: string, path: string, summary: string): Operation {
  return {
    id,
    method: "get",
    path,
    summary,
    credentials: ["resource_server"],
    isOpen,
    headers: z.object({ "if-none-match": z.string().exactOptional() }),
    answer: {
      description: "What a verifier needs.",
      schema: PUBLIC_SCHEMAS.DirectoryRecord,
      headers: cached,
      isConditional: true,
    },
    refusals: [{ code: "unknown_agent", status: 404 }, "forbidden"],
  };
}

const introspect: Operation = {
  id: "introspectAssertion",
  method: "post",
  path: INTROSPECTION_PATH,
  summary: "Checks an assertion for a resource server that keeps no directory.",
  credentials: ["resource_server"],
  body: PUBLIC_SCHEMAS.IntrospectionRequest,
  answer: {
    description: "What a verifier found, also where that is a rejection.",
    schema: PUBLIC_SCHEMAS.Introspection,
  },
  refusals: ["forbidden"],
};

const refreshToken: Operation = {
  id: "refreshToken",
  method: "post",
  path: TOKEN_REFRESH_PATH,
  summary: "Answers Codex's request for a new token without one. The body is not read.",
  answer: { description: "No token.", schema: PUBLIC_SCHEMAS.TokenRefresh },
};

// What a verifier gives only where a request is bound, or where its caller has rules of its own.
const OF_REQUESTS: ReadonlySet<Code> = new Set<Code>([
  "forbidden",
  "binding_required",
  "binding_mismatch",
  "replayed",
]);

const assertionWhoami: Operation = {
  id: "assertionWhoami",
  method: "get",
  path: ASSERTION_WHOAMI_PATH,
  summary: "Tells an agent whether its own assertion holds.",
  credentials: ["assertion"],
  answer: { description: "It holds: whose it is.", schema: PUBLIC_SCHEMAS.AssertionWhoami },
  refusals: CODES.filter((code) => codeRow(code).givenBy === "verifier" && !OF_REQUESTS.has(code)),
};

const whoami: Operation = {
  id: "whoami",
  method: "get",
  path: WHOAMI_PATH,
  summary: "Says whose token it is.",
  credentials: ["human"],
  answer: { description: "Account and user.", schema: PUBLIC_SCHEMAS.Whoami },
  refusals: ["forbidden"],
};
