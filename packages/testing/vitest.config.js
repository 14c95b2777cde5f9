import config from "./vitest-config.js";

export default config;
