import { onTestFinished } from "vitest";
import type { TestAuthority, TestAuthorityOptions } from "./authority/authority-types.js";
import { startTestAuthority } from "./authority/start-test-authority.js";

/** A test authority that ends with the test. */
export async function openAuthority(options?: TestAuthorityOptions): Promise<TestAuthority> {
  const authority = await startTestAuthority(options);
  onTestFinished(() => authority.close());
  return authority;
}
