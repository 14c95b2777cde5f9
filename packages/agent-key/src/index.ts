export { AgentKey } from "./agent-key.js";
export { AgentKeyError } from "./agent-key-error.js";
export { AgentPublicKey } from "./agent-public-key.js";
export type { AgentSigner, SignOptions, SyncAgentSigner } from "./agent-signer.js";
export type { HttpUrlOptions } from "./authority-url.js";
export { parseAuthority, parseOrigin } from "./authority-url.js";
export { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from "./base64.js";
export type { Code } from "./code-rows.js";
export type { ContractCase, ContractPlace, ContractRules } from "./contract-cases.js";
export { contractCases } from "./contract-cases.js";
export type { CountersignErrorOptions } from "./countersign-error.js";
export { CountersignError } from "./countersign-error.js";
export type {
  AgentCredential,
  BearerCredential,
  Credential,
  CredentialOptions,
  CredentialRefusal,
  CredentialSource,
  NoCredential,
} from "./credential-source.js";
export { isPrincipalId, isServerId, parseScopeId } from "./ids.js";
export { KeyedMutex } from "./keyed-mutex.js";
export { LinkedMap } from "./linked-map.js";
export { isLoopbackHost } from "./loopback-host.js";
export { Mutex } from "./mutex.js";
export type {
  ChoiceShape,
  NumberShape,
  OptionChecks,
  OptionShape,
  ValueShape,
} from "./option-checks.js";
export { LONGEST_TIMER_MS, numberIn, optionChecks } from "./option-checks.js";
export { REJECTION_TEXTS } from "./rejection-texts.js";
export { hideMembers, showMembers } from "./secret-members.js";
export { signWith } from "./sign-with.js";
export { StoreError } from "./store-error.js";
export { isThreadLabel, parseThreadLabel } from "./thread-label.js";
export { formatTimestamp, isInstant, parseTimestamp } from "./timestamp.js";
export { untilAborted } from "./until-aborted.js";
export type { MemberNamed, WireNamed } from "./wire-names.js";
export { fromWireNames, toWireNames } from "./wire-names.js";
