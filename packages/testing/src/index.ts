export type {
  AuthorityRecord,
  AuthorityStep,
  Fault,
  PlainTaskIds,
  TaskAnswerMember,
  TestAgent,
  TestAuthority,
  TestAuthorityOptions,
  TestTask,
} from "./authority/authority-types.js";
export type { SignTokenOptions, TestIdentityIssuer } from "./authority/identity-issuer.js";
export { createTestIdentityIssuer } from "./authority/identity-issuer.js";
export type { IdentityJwtRequest, TestIdentityJwt } from "./authority/identity-jwt.js";
export type { RegistryRowsOptions } from "./authority/registry-rows.js";
export { registryRows } from "./authority/registry-rows.js";
export { startTestAuthority } from "./authority/start-test-authority.js";
export type { CountedWork } from "./count-work.js";
export { countWork } from "./count-work.js";
export type { DocumentedProgram } from "./documented-programs.js";
export { findFiles, readDocumentedPrograms } from "./documented-programs.js";
export { FakeClock } from "./fake-clock.js";
export type { ErrorTexts } from "./faults-of-wording.js";
export { faultsOfWording } from "./faults-of-wording.js";
export { findProgram } from "./find-program.js";
export type { MarkdownBlock } from "./markdown-blocks.js";
export { markdownBlocks } from "./markdown-blocks.js";
export type { McpServerSdk } from "./mcp-api.js";
export { mcpApi } from "./mcp-api.js";
export {
  chatCompletionsApi,
  MODEL_ANSWER,
  messagesApi,
  responsesApi,
  toolCallingApi,
} from "./model-api.js";
export type { Wait } from "./paced-by.js";
export { pacedBy } from "./paced-by.js";
export { pkcs8OfSeed } from "./pkcs8-of-seed.js";
export type { ProcessOptions, ProcessResult, TestProcess } from "./process/test-process.js";
export { runProcess, startProcess } from "./process/test-process.js";
export type { RecordedRequest } from "./recorded-request.js";
export { headerOf } from "./recorded-request.js";
export type { SeededRandom } from "./seeded-random.js";
export { seededRandom } from "./seeded-random.js";
export type { TemporaryDirectory } from "./temporary-directory.js";
export { temporaryDirectory } from "./temporary-directory.js";
export type {
  TestUpstream,
  UpstreamAnswer,
  UpstreamHandler,
  UpstreamRequest,
} from "./test-upstream.js";
export { startTestUpstream } from "./test-upstream.js";
export type { OpenWireTap } from "./wire-tap.js";
export { openWireTap } from "./wire-tap.js";
