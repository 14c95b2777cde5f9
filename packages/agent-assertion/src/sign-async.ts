// Signing with keys that are kept elsewhere: in an ssh-agent, a key management service, WebCrypto.
export { authorizationFieldAsync, headerAsync } from "./sign/async/header-async.js";
export type { BindRequestAsyncInput, SignAssertionAsyncInput } from "./sign/async/sign-async.js";
export { bindRequestAsync, signAssertionAsync } from "./sign/async/sign-async.js";
