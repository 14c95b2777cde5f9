export { describeServerText } from "./redaction/describe-server-text.js";
export { hideCredentials } from "./redaction/hide-credentials.js";
