// How Stryker runs the tests of a package. Those that start built programs do not see its changes: they are left out, and with them all tests
// on PostgreSQL, and those that read or compile the source.
import { COMMON } from "@countersign/testing/vitest-config";
import { configDefaults } from "vitest/config";

export default {
  test: {
    ...COMMON,
    // Also where the effort is quick: what a test leaves behind would be put down to the next change.
    isolate: true,
    setupFiles: [],
    include: ["{src,test}/**/*.test.ts"],
    exclude: [
      ...configDefaults.exclude,
      "**/*.postgres.test.ts",
      "**/{kill-rounds,two-processes,query-plans,full-disk.sqlite,oidc-provider}.test.ts",
      "**/{crashes,crash-safety,rotation-crashes,one-registration,identity-owner-processes,lighttpd}.test.ts",
      "**/readme-*.test.ts",
      "**/{exports,code-row-types}.test.ts",
    ],
    provide: { databaseKind: "sqlite", postgresUrl: "" },
  },
};
