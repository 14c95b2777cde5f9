import { type NpmPackage, packageFile } from "./npm-package.ts";

/** Version of both packages. */
export const CLAUDE_AGENT_SDK_VERSION = "0.3.332";

const SDK: NpmPackage = {
  package: "@anthropic-ai/claude-agent-sdk",
  version: CLAUDE_AGENT_SDK_VERSION,
  integrity:
    "sha512-N0ejnrTLMNJYXkvhdmLEy8QSfjym2ljJCkUBCrLKesYNGgqooi8zHDHawNsi+An6zav/ImPnpi27sbRsRjfcOw==",
};

const PROGRAM: NpmPackage = {
  package: "@anthropic-ai/claude-agent-sdk-linux-x64",
  version: CLAUDE_AGENT_SDK_VERSION,
  integrity:
    "sha512-jcy9+qHfZp8chlyAzugVCDSVoMv3lNIrDxuWo8ukM2SkZWJn0pr4K8sXhJIKbUIvbGrZhZeY5E68zPHNfpv6Sw==",
};

/** The Claude Agent SDK, and the program that it starts. */
export const CLAUDE_AGENT_SDK: readonly NpmPackage[] = [SDK, PROGRAM];

/** Path of the SDK's module. It holds whatever it imports. */
export const CLAUDE_AGENT_SDK_MODULE: string = packageFile(SDK, "sdk.mjs");

/** Path of the program. */
export const CLAUDE_PROGRAM: string = packageFile(PROGRAM, "claude");
