import { join } from "node:path";
import {
  startTestAuthority,
  startTestUpstream,
  type TemporaryDirectory,
  type TestAuthority,
  type TestUpstream,
  temporaryDirectory,
} from "@countersign/testing";
import { onTestFinished } from "vitest";

/** The variable that turns the feature on. */
export const FEATURE_ON = { COUNTERSIGN_FEATURE_USE_AGENT_IDENTITY: "1" } as const;

/** A folder of one test's own, and the home in it that does not exist yet. */
export interface FreshHome {
  readonly folder: TemporaryDirectory;
  readonly home: string;
  /** Of a command in that home with the feature on. */
  readonly options: { readonly home: string; readonly env: Record<string, string> };
}

/** What an agent talks with. */
export interface FreshWorld extends FreshHome {
  readonly authority: TestAuthority;
  readonly upstream: TestUpstream;
}

/** Makes a {@link FreshHome}, which is gone when the test is over. */
export async function freshHome(): Promise<FreshHome> {
  const folder = await temporaryDirectory();
  onTestFinished(() => folder.remove());
  const home = join(folder.path, "home");
  return { folder, home, options: { home, env: { ...FEATURE_ON } } };
}

/** Makes a {@link FreshWorld}, which is removed after the test. No login is stored, and the authority knows no human. */
export async function freshWorld(): Promise<FreshWorld> {
  const home = await freshHome();
  const authority = await startTestAuthority();
  onTestFinished(() => authority.close());
  const upstream = await startTestUpstream();
  onTestFinished(() => upstream.close());
  return { ...home, authority, upstream };
}
