export { expectRejection } from "./expect-rejection.js";
export { openDirectory } from "./open-directory.js";
