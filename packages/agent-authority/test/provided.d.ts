import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    readonly databaseKind: "sqlite" | "postgres";
    readonly postgresUrl: string;
  }
}
