import { Client } from "pg";
import { expect, test } from "vitest";
import { describeStoreUrl, parseStoreUrl } from "./store-url.js";

test.each([
  ["u:p%40", "u", "p@"],
  ["u:a+b", "u", "a+b"],
  ["u:a&b=c", "u", "a&b=c"],
  ["u:a%2Bb%26", "u", "a+b&"],
  ["u:100%", "u", "100%"],
  ["u:50%+%zz", "u", "50%+%zz"],
  ["a+b&c:p", "a+b&c", "p"],
])("%s@ before a socket is the user %s with the password %s", (userinfo, user, password) => {
  for (const query of ["?host=/run/postgresql", "?host=/run/postgresql&application_name=x"]) {
    const url = `postgres://${userinfo}@/db${query}`;
    const location = parseStoreUrl(url);
    const connectionString = location.kind === "postgres" ? location.url : "";
    const client = new Client({ connectionString });
    const { host, database } = client;
    expect({ host, database, user: client.user, password: client.password }).toEqual({
      host: "/run/postgresql",
      database: "db",
      user,
      password,
    });
    expect(describeStoreUrl(url)).toBe("postgres:///db");
  }
});
