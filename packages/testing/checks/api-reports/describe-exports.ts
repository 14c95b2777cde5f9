import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
} from "@microsoft/api-extractor";
import type { PackageEntry } from "./package-entries.ts";

const { Error: ERROR, None: NONE } = ExtractorLogLevel;
const RAW_REPORT = "raw.api.md";

/**
 * Describes what each entry exports: the declaration of every export, and of every type that these name without exporting it.
 *
 * @param compilerOptions - of the TypeScript that reads the built declarations
 * @returns the text of the reports, in the order of `entries`
 * @throws {Error} if a declaration cannot be read
 */
export function describeExports(
  entries: readonly PackageEntry[],
  compilerOptions: object,
): string[] {
  const folder = mkdtempSync(join(tmpdir(), "countersign-api-"));
  try {
    const configs = entries.map((entry) => configOf(entry, entries, compilerOptions, folder));
    const [first] = configs;
    if (first === undefined) return [];
    // One program for all entries, as most of the time goes into reading the declarations of their dependencies.
    const compilerState = CompilerState.create(first);
    return configs.map((config, index) => {
      const errors: string[] = [];
      Extractor.invoke(config, {
        compilerState,
        messageCallback: (message) => {
          if (message.logLevel === ERROR) errors.push(message.text);
          message.handled = true;
        },
      });
      if (errors.length > 0) throw new Error(errors.join("\n"));
      const raw = readFileSync(join(folder, RAW_REPORT), "utf8");
      return reportOf((entries[index] as PackageEntry).specifier, raw);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function configOf(
  entry: PackageEntry,
  all: readonly PackageEntry[],
  compilerOptions: object,
  folder: string,
): ExtractorConfig {
  return ExtractorConfig.prepare({
    configObject: {
      projectFolder: entry.folder,
      mainEntryPointFilePath: entry.declarations,
      compiler: {
        overrideTsconfig: {
          // The build has checked the declarations.
          compilerOptions: { ...compilerOptions, skipLibCheck: true },
          files: all.map(({ declarations }) => declarations),
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: RAW_REPORT,
        reportFolder: join(folder, "none"),
        reportTempFolder: folder,
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: "lf",
      messages: {
        compilerMessageReporting: { default: { logLevel: ERROR } },
        extractorMessageReporting: { default: { logLevel: NONE } },
        tsdocMessageReporting: { default: { logLevel: NONE } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(entry.folder, "package.json"),
  });
}

// Without what says only whether a docstring is there: a report changes with what is exported alone.
function reportOf(specifier: string, raw: string): string {
  const code = raw.slice(raw.indexOf("```ts\n") + "```ts\n".length, raw.lastIndexOf("```"));
  const lines = code
    .split("\n")
    .map((line) => line.replace(/^(\s*\/\/.*?) ?\(undocumented\)$/, "$1").trimEnd())
    .filter((line) => !/^\s*\/\/( @public| \(No @packageDocumentation.*)?$/.test(line));
  const text = lines
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
  return `# ${specifier}\n\n\`\`\`ts\n${text}\n\`\`\`\n`;
}
