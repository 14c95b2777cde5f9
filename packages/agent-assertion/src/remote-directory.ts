export type { RemoteDirectoryOptions } from "./directory/remote-directory.js";
export { remoteDirectory } from "./directory/remote-directory.js";
