export type { AssertionOptions } from "./client/assertion-options.js";
export type { AssertionHeaders, RefusedDial } from "./client/websocket/assertion-headers.js";
export { assertionHeaders } from "./client/websocket/assertion-headers.js";
export type { DialHeaders, DialOptions } from "./client/websocket/dial-options.js";
export type { AssertedDial } from "./client/websocket/dial-with-assertion.js";
export { dialWithAssertion } from "./client/websocket/dial-with-assertion.js";
export type { DialledSocket } from "./client/websocket/dialled-socket.js";
