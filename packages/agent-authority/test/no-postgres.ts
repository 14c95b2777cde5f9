// Stands for the whole suite on PostgreSQL where no server answers.
import { describe, inject, it } from "vitest";

const { host } = new URL(inject("postgresUrl"));
const reason = `no PostgreSQL answers at ${host}: set DATABASE_URL`;
console.warn(`The suite on PostgreSQL is skipped: ${reason}`);

describe("the authority on PostgreSQL", () => {
  it.skip(`runs its whole suite (skipped: ${reason})`, () => {});
});
