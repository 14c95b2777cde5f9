import { answersFile } from "./answers-file.js";
import { derivationsFile } from "./derivations-file.js";
import { directoryFile } from "./directory-file.js";
import { identityJwtFile } from "./identity-jwt-file.js";
import { keyRotationFile } from "./key-rotation-file.js";
import { moreKeysFile } from "./more-keys-file.js";
import { refusalsFile } from "./refusals-file.js";
import { registrationProofFile } from "./registration-proof-file.js";
import { registrationRequestsFile } from "./registration-requests-file.js";
import { requestsFile } from "./requests-file.js";

/** The vector files that are generated, by name. The others were made with libsodium and OpenSSL, and stay as they are. */
export const VECTOR_FILES: Readonly<Record<string, unknown>> = {
  "answers.json": answersFile,
  "derivations.json": derivationsFile,
  "directory.json": directoryFile,
  "identity-jwt.json": identityJwtFile,
  "key-rotation.json": keyRotationFile,
  "more-keys.json": moreKeysFile,
  "refusals.json": refusalsFile,
  "registration-proof.json": registrationProofFile,
  "registration-requests.json": registrationRequestsFile,
  "requests.json": requestsFile,
};
