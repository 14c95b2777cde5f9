import type { Command, Option } from "commander";
import { createProgram } from "../src/program.js";

/** The section of docs/cli.md about one command. */
export interface CommandSection {
  /** For instance `authority serve`. */
  readonly path: string;
  /** For instance `### countersign authority serve`. */
  readonly heading: string;
  /** What its definition says, in Markdown. */
  readonly text: string;
}

// They are told once, at the top of the document.
const ON_EVERY_COMMAND: ReadonlySet<string> = new Set(["--json", "--enable", "--disable"]);

/** Reads the section of each command from its definition, in the order of `--help`: a group stands before its commands. */
export function commandSections(): readonly CommandSection[] {
  const program = createProgram(
    new AbortController().signal,
    () => {},
    () => {},
  );
  return program.commands.flatMap((command) => sectionsOf(command, "", "##"));
}

function sectionsOf(command: Command, parent: string, level: string): CommandSection[] {
  const path = `${parent}${command.name()}`;
  const section = {
    path,
    heading: `${level} countersign ${path}`,
    text: [description(command), usage(command, path), options(command), afterHelp(command)]
      .filter((part) => part !== "")
      .join("\n\n"),
  };
  return [section, ...command.commands.flatMap((it) => sectionsOf(it, `${path} `, `${level}#`))];
}

function description(command: Command): string {
  const text = command.description();
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function usage(command: Command, path: string): string {
  const isGroup = command.commands.length > 0 && command.options.length === 0;
  return isGroup ? "" : `\`\`\`text\ncountersign ${path} ${command.usage()}\n\`\`\``;
}

// What stands under a heading of its own, because many commands have it.
const EXPLAINED: Readonly<Record<string, string>> = { "--insecure-http": "#plain-http" };

function options(command: Command): string {
  return command.options
    .filter(({ hidden, long }) => !hidden && !ON_EVERY_COMMAND.has(long ?? ""))
    .map((option) => {
      const heading = EXPLAINED[option.long ?? ""];
      if (heading !== undefined) return `- [\`${option.flags}\`](${heading})`;
      return `- \`${option.flags}\`: ${optionText(option)}`;
    })
    .join("\n");
}

function optionText({ description: text, mandatory, argChoices, defaultValue }: Option): string {
  const more = [
    ...(mandatory && defaultValue === undefined ? ["required"] : []),
    ...(argChoices === undefined
      ? []
      : [`one of ${argChoices.map((it) => `\`${it}\``).join(", ")}`]),
    ...(defaultValue === undefined ? [] : [`default: \`${defaultValue}\``]),
  ];
  return [text, ...more].join("; ");
}

// What `addHelpText` added stands behind what commander makes of the definition.
function afterHelp(command: Command): string {
  let help = "";
  command.configureOutput({
    writeOut: (part) => {
      help += part;
    },
  });
  command.outputHelp();
  const text = help.replace(command.helpInformation(), "").trim();
  return text === "" ? "" : `\`\`\`text\n${text}\n\`\`\``;
}
