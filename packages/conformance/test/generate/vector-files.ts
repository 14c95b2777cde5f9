import { answersFile } from "./answers-file.js";
import { callerTokenFile } from "./caller-token-file.js";
import { derivationsFile } from "./derivations-file.js";
import { directoryFile } from "./directory-file.js";
import { identityJwtFile } from "./identity-jwt-file.js";
import { keyRotationFile } from "./key-rotation-file.js";
import { moreAgentRegistrationFile } from "./more-agent-registration-file.js";
import { moreAssertionsFile } from "./more-assertions-file.js";
import { moreKeysFile } from "./more-keys-file.js";
import { moreTaskRegistrationFile } from "./more-task-registration-file.js";
import { ownEndFile } from "./own-end-file.js";
import { plainTaskRegistrationFile } from "./plain-task-registration-file.js";
import { refusalsFile } from "./refusals-file.js";
import { registrationProofFile } from "./registration-proof-file.js";
import { registrationRequestsFile } from "./registration-requests-file.js";
import { requestsFile } from "./requests-file.js";

/** The vector files that are generated, by name. The others were made with libsodium and OpenSSL, and stay as they are. */
export const VECTOR_FILES: Readonly<Record<string, unknown>> = {
  "answers.json": answersFile,
  "caller-token.json": callerTokenFile,
  "derivations.json": derivationsFile,
  "directory.json": directoryFile,
  "identity-jwt.json": identityJwtFile,
  "key-rotation.json": keyRotationFile,
  "more-agent-registration.json": moreAgentRegistrationFile,
  "more-assertions.json": moreAssertionsFile,
  "more-keys.json": moreKeysFile,
  "more-task-registration.json": moreTaskRegistrationFile,
  "own-end.json": ownEndFile,
  "plain-task-registration.json": plainTaskRegistrationFile,
  "refusals.json": refusalsFile,
  "registration-proof.json": registrationProofFile,
  "registration-requests.json": registrationRequestsFile,
  "requests.json": requestsFile,
};
