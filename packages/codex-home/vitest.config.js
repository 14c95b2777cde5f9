import config from "@countersign/testing/vitest-config";

export default config;
