import { createVerifier } from "@countersign/agent-assertion";
import { databaseDirectory, openStore } from "@countersign/agent-authority";

export async function openVerifier(database: string) {
  const store = await openStore(database);
  return createVerifier({ directory: databaseDirectory(store, "https://authority.example") });
}
