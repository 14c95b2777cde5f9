import {
  startTestAuthority,
  type TestAuthority,
  type TestAuthorityOptions,
} from "@countersign/testing";
import { onTestFinished } from "vitest";

/** A test authority that ends with the test. */
export async function openAuthority(options?: TestAuthorityOptions): Promise<TestAuthority> {
  const authority = await startTestAuthority(options);
  onTestFinished(() => authority.close());
  return authority;
}
