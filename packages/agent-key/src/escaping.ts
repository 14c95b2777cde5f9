export { escapeLines, escapeText } from "./escape-text.js";
export { findHiddenPath } from "./hidden-path.js";
