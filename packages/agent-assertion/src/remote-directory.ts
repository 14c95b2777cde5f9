export type { DirectoryEvent, DirectoryOutcome } from "./directory/directory-event.js";
export type { RemoteDirectoryOptions } from "./directory/remote-directory.js";
export { remoteDirectory } from "./directory/remote-directory.js";
