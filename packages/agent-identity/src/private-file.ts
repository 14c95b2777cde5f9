export { networkFileSystem } from "./private-file/network-file-system.js";
export { openPrivateDirectory } from "./private-file/open-private-directory.js";
export type { PrivateFileEvent, PrivateFileMessage } from "./private-file/private-file-channel.js";
export { PRIVATE_FILE_CHANNEL } from "./private-file/private-file-channel.js";
export type {
  FileLock,
  FileLockOptions,
  PrivateDirectoryOptions,
  PrivateFile,
  WritePrivateFileOptions,
} from "./private-file/private-file-options.js";
export { readPrivateFile } from "./private-file/read-private-file.js";
export { resolveHome, userHome } from "./private-file/resolve-home.js";
export { withFileLock } from "./private-file/with-file-lock.js";
export { removeTemporaryFiles, writePrivateFile } from "./private-file/write-private-file.js";
