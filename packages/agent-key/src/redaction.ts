export { describeServerText } from "./redaction/describe-server-text.js";
export { hideCredentials } from "./redaction/hide-credentials.js";
export { isRequestId } from "./redaction/is-request-id.js";
