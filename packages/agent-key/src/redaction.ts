export { hideCredentials } from "./redaction/hide-credentials.js";
