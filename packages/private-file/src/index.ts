export { assertOwnedByUser } from "./assert-owned-by-user.js";
export type { FileVersion } from "./file-version.js";
export type { KeptFile } from "./kept-file.js";
export { keepFile } from "./kept-file.js";
export { networkFileSystem } from "./network-file-system.js";
export { openPrivateDirectory } from "./open-private-directory.js";
export type { PrivateFileEvent, PrivateFileMessage } from "./private-file-channel.js";
export { PRIVATE_FILE_CHANNEL } from "./private-file-channel.js";
export type {
  FileLock,
  FileLockOptions,
  PrivateDirectoryOptions,
  PrivateFile,
  WritePrivateFileOptions,
} from "./private-file-options.js";
export { readPrivateFile } from "./read-private-file.js";
export { resolveHome, userHome } from "./resolve-home.js";
export { errnoOf, storeDenied, toStoreError } from "./store-denied.js";
export { withFileLock } from "./with-file-lock.js";
export { removeTemporaryFiles, writePrivateFile } from "./write-private-file.js";
