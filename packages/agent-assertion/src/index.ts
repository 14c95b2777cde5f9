export type { Problem, ProblemExtra } from "@countersign/agent-key/problem";
export { createProblem, statusOf } from "@countersign/agent-key/problem";
export { AgentAssertionError } from "./agent-assertion-error.js";
export type { BindingOptions, BindingPolicy } from "./binding/binding-policy.js";
export type { MemoryReplayStoreOptions, NonceEntry, ReplayStore } from "./binding/replay-store.js";
export { memoryReplayStore } from "./binding/replay-store.js";
export type { RequestFacts } from "./binding/request-facts.js";
export type {
  AgentDirectory,
  AgentDirectoryOptions,
  AgentLookupOptions,
  AgentRecord,
  LifeState,
  TaskRecord,
} from "./directory/agent-directory.js";
export type { MemoryDirectoryOptions, MemoryTaskRecord } from "./directory/memory-directory.js";
export { memoryDirectory } from "./directory/memory-directory.js";
export { REVOCATION_DELAY_SECONDS } from "./directory/revocation-delay.js";
export type { DirectoryAnswer, DirectoryRecord } from "./schema/directory-record.js";
export {
  createDirectoryRecord,
  parseDirectoryRecord,
} from "./schema/directory-record.js";
export type { AssertionWhoami, IntrospectionResponse } from "./schema/introspection.js";
export {
  ASSERTION_WHOAMI_PATH,
  createAssertionWhoamiResponse,
  createIntrospectionResponse,
  INTROSPECTION_PATH,
  parseIntrospectionRequest,
} from "./schema/introspection.js";
export { MAX_USE_AGE_SECONDS, USE_REPORT_PATH } from "./schema/use-report.js";
export type { AssertionSignerOptions } from "./sign/assertion-signer.js";
export { AssertionSigner } from "./sign/assertion-signer.js";
export type { BindRequestInput } from "./sign/bind-request.js";
export { bindRequest } from "./sign/bind-request.js";
export type { SignAssertionInput } from "./sign/sign-assertion.js";
export { signAssertion } from "./sign/sign-assertion.js";
export type { AssertionHooks, RefusedAssertion } from "./verify/assertion-hooks.js";
export type {
  AssertionRejectedOptions,
  RejectedCaller,
  RejectionCode,
} from "./verify/assertion-rejected.js";
export { AssertionRejected } from "./verify/assertion-rejected.js";
export type { AssertionFacts, CheckAssertionOptions } from "./verify/check-assertion.js";
export { checkAssertion } from "./verify/check-assertion.js";
export type {
  AssertionVerifier,
  CreateVerifierOptions,
  ProvenCaller,
  VerifierBinding,
  VerifyOptions,
} from "./verify/create-verifier.js";
export { createVerifier } from "./verify/create-verifier.js";
export type { LookupLimitOptions, LookupLimits } from "./verify/lookup-limits.js";
export type { ParsedAssertion } from "./verify/parse-assertion.js";
export { parseAssertion } from "./verify/parse-assertion.js";
export type { LookupLimit, TooManyLookupsOptions } from "./verify/too-many-lookups.js";
export { TooManyLookups } from "./verify/too-many-lookups.js";
export type { AssertionPolicy, VerifiedAssertion } from "./verify/verified-assertion.js";
