import { expect, test } from "vitest";
import { SECRET_VARIABLES, withoutSecrets } from "./secret-variables.js";

test("a child's environment is without every secret, in whatever case Windows has its name", () => {
  const secrets = SECRET_VARIABLES.flatMap((name) => [name, name.toLowerCase()]);
  const variables = Object.fromEntries(secrets.map((name) => [name, "secret"]));
  expect(withoutSecrets({ ...variables, CODEX_ACCESS_TOKEN: "t", PATH: "/bin" })).toEqual({
    CODEX_ACCESS_TOKEN: "t",
    PATH: "/bin",
  });
});

test("what a secret variable names by env:VAR is a secret too (G-A45)", () => {
  const variables = {
    COUNTERSIGN_AUTHORITY_DATABASE: "env:MY_DATABASE",
    MY_DATABASE: "postgres://",
  };
  expect(withoutSecrets({ ...variables, OTHER: "1" })).toEqual({ OTHER: "1" });
});
