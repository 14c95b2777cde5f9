import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openDirectory } from "@countersign/testing/vitest";
import { describe, test } from "vitest";
import { openFakeKeyring } from "../../test/support/fake-keyring.js";
import { fileStore } from "../store/file-store.js";
import { keyringStore } from "../store/keyring-store.js";
import { memoryStore } from "../store/memory-store.js";
import { credentialStoreContract } from "./credential-store-contract.js";

describe("a file store", () => {
  const start = async () => {
    const directory = join(await openDirectory(), "home");
    return { open: () => fileStore(directory) };
  };
  const startUnreadable = async () => {
    const directory = await openDirectory();
    await writeFile(join(directory, "credentials.json"), '{"version":1,', { mode: 0o600 });
    return { open: () => fileStore(directory) };
  };
  for (const { name, run } of credentialStoreContract({ start, startUnreadable })) test(name, run);
});

describe("a keyring store", () => {
  const startKeyring = async () => {
    const directory = await openDirectory();
    const { entries, openEntry } = openFakeKeyring();
    return { entries, open: () => keyringStore({ directory, account: "me", openEntry }) };
  };
  const startUnreadable = async () => {
    const place = await startKeyring();
    place.entries.set("me", Buffer.from("of another program"));
    return place;
  };
  const contract = credentialStoreContract({ start: startKeyring, startUnreadable });
  for (const { name, run } of contract) test(name, run);
});

describe("a memory store", () => {
  const start = () => {
    const store = memoryStore();
    return { open: () => store };
  };
  for (const { name, run } of credentialStoreContract({ start })) test(name, run);
});
