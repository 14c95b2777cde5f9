export type { DirectoryEvent, DirectoryOutcome } from "./directory/directory-event.js";
export type { RemoteDirectory, RemoteDirectoryOptions } from "./directory/remote-directory.js";
export { remoteDirectory } from "./directory/remote-directory.js";
export type { UseReportEvent } from "./directory/use-reporter.js";
