export type { RemoteRegistryOptions } from "./remote-registry/remote-registry.js";
export { remoteRegistry } from "./remote-registry/remote-registry.js";
