import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthorityMetrics } from "@countersign/agent-authority";
import { isCode } from "@countersign/agent-key/codes";
import { createProxyMetrics } from "@countersign/assertion-proxy";
import { findProgram, runProcess, temporaryDirectory } from "@countersign/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { ALERT_CASES, type Series } from "./figures/alert-cases.js";
import { type Exposition, readExposition } from "./figures/exposition.js";
import { type ShownFigures, showFigures } from "./figures/show-figures.js";

const OPERATING = join(import.meta.dirname, "../../../docs/operating");
const PROMTOOL = findProgram("promtool");

if (PROMTOOL === undefined) {
  console.warn(
    "skipped: alert rules are not run: promtool is not installed (Debian: apt-get install prometheus)",
  );
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const alertsFile = join(OPERATING, "alerts.yml");
const rules: readonly Rule[] = parse(readFileSync(alertsFile, "utf8")).groups.flatMap(
  ({ rules }: { readonly rules: readonly Rule[] }) => rules,
);
const panels: readonly Panel[] = JSON.parse(
  readFileSync(join(OPERATING, "dashboard.json"), "utf8"),
).panels;
const expressions: readonly [string, string][] = [
  ...rules.map(({ alert, expr }): [string, string] => [`alert ${alert}`, expr]),
  ...panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }): [string, string] => [`panel ${title}: ${expr}`, expr]),
  ),
];

let shown: Omit<ShownFigures, "sent">;
let sent: readonly string[];
let all: Exposition;

beforeAll(async () => {
  ({ sent, ...shown } = await showFigures());
  // What only PostgreSQL has, and what comes after a minute.
  const onPostgres = createAuthorityMetrics();
  onPostgres.observer.watchPool(() => ({ total: 2, idle: 1, waiting: 0 }));
  const later = createProxyMetrics();
  later.useReport({ outcome: "sent", dropped: 0 });
  const more = [await onPostgres.render(), await later.render()];
  all = readExposition([...Object.values(shown), ...more].join("\n"));
});

describe("the figures of running programs", () => {
  test("have no label value that is an id, an address, a path or a host (G-A11)", () => {
    for (const [program, text] of Object.entries(shown)) {
      for (const { name, labels } of readExposition(text).samples) {
        for (const [label, value] of Object.entries(labels)) {
          const where = `${program}: ${name}{${label}="${value}"}`;
          if (label !== "le")
            expect(value, where).not.toMatch(/[\da-f]{8}|\d{4}|@|:\/\/|(\d+\.){3}/);
          expect(sent, where).not.toContain(value);
        }
      }
      for (const value of sent) expect(text, program).not.toContain(value);
    }
  });

  test("are those of the documents, and the documents have no others", () => {
    const documents: readonly [string, RegExp][] = [
      ["../authority.md", /^countersign_authority_/],
      ["../gateway.md", /^countersign_proxy_/],
    ];
    for (const [file, own] of documents) {
      const named = firstCells(readFileSync(join(OPERATING, file), "utf8"));
      expect(named.filter((name) => own.test(name)).toSorted()).toEqual(
        [...all.types.keys()].filter((name) => own.test(name)).toSorted(),
      );
    }
    const ofProcess = firstCells(readFileSync(join(OPERATING, "figures.md"), "utf8")).filter(
      (name) => /^(process|nodejs)_/.test(name),
    );
    expect(ofProcess.length).toBeGreaterThan(5);
    for (const text of Object.values(shown)) {
      const { types } = readExposition(text);
      for (const name of ofProcess) expect([...types.keys()]).toContain(name);
    }
  });
});

describe("alerts.yml and dashboard.json", () => {
  test.each(expressions)("%s asks for figures, labels and values that are exported", (_, expr) => {
    const names = expr.match(/\b(?:countersign|process|nodejs)_\w+/g) ?? [];
    for (const name of names) expect(all.sampleNames, name).toContain(name);
    if (names.length === 0) expect(expr).toMatch(/^up\{/);
    for (const [, name = "", matchers = ""] of expr.matchAll(/\b(countersign_\w+)\{([^}]*)\}/g)) {
      for (const [, label = "", operator, value = ""] of matchers.matchAll(
        /(\w+)(=~?)"([^"]*)"/g,
      )) {
        if (label === "job" || label === "instance") continue;
        const values = all.samples
          .filter((sample) => sample.name === name)
          .map(({ labels }) => labels[label]);
        expect(
          values.some((found) => found !== undefined),
          `${name} has ${label}`,
        ).toBe(true);
        if (label === "code") {
          for (const code of value.split("|")) expect(isCode(code), code).toBe(true);
        } else if (label !== "status") {
          for (const one of operator === "=" ? [value] : value.split("|")) {
            expect(values, `${name}{${label}="${one}"}`).toContain(one);
          }
        }
      }
    }
    for (const [, labels = ""] of expr.matchAll(/\bby \(([^)]*)\)/g)) {
      for (const label of labels.split(/, */)) {
        const known = ["job", "instance", "le"].includes(label);
        const has = all.samples.some(
          (sample) => names.some((name) => name === sample.name) && label in sample.labels,
        );
        expect(known || has, label).toBe(true);
      }
    }
  });

  test("figures.md says of each alert what to do, and names no other", () => {
    const document = readFileSync(join(OPERATING, "figures.md"), "utf8");
    const named = firstCells(document).filter((name) => name.startsWith("Countersign"));
    expect(named.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
  });

  test("every alert has a severity, a summary and what to do", () => {
    for (const { alert, labels, annotations } of rules) {
      expect(["warning", "critical"], alert).toContain(labels.severity);
      expect(Object.keys(annotations).toSorted(), alert).toEqual(["description", "summary"]);
    }
  });

  test("every alert has a case in which it fires and one in which it is silent", () => {
    expect(Object.keys(ALERT_CASES).toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
    for (const [alert, { fires, silent }] of Object.entries(ALERT_CASES)) {
      expect(
        [fires.length, silent.length].every((count) => count > 0),
        alert,
      ).toBe(true);
    }
  });
});

describe.skipIf(PROMTOOL === undefined)("promtool", () => {
  const promtool = (...args: string[]) => runProcess(PROMTOOL ?? "", args);

  test("takes the rules", async () => {
    const { code, stdout, stderr } = await promtool(
      "check",
      "rules",
      "--lint=all",
      "--lint-fatal",
      alertsFile,
    );
    expect(code, stdout + stderr).toBe(0);
  });

  test.each(["authority", "gateway", "proxy"] as const)(
    "takes the figures of the %s",
    async (program) => {
      // Those of the process have names of prom-client's, some of which promtool would choose otherwise.
      const own = shown[program].split("\n").filter((line) => /^(# \w+ )?countersign_/.test(line));
      const { code, stdout, stderr } = await runProcess(PROMTOOL ?? "", ["check", "metrics"], {
        input: `${own.join("\n")}\n`,
      });
      expect(code, stdout + stderr).toBe(0);
    },
  );

  test("runs the rules: each fires in its cases, and is silent in the others", async () => {
    await using folder = await temporaryDirectory();
    const file = join(folder.path, "test.yml");
    const tests = Object.entries(ALERT_CASES).flatMap(([alert, { minutes, fires, silent }]) => [
      ...fires.map((series) => promtoolTest(alert, minutes, series, true)),
      ...silent.map((series) => promtoolTest(alert, minutes, series, false)),
    ]);
    expect(tests.length).toBeGreaterThan(2 * rules.length);
    await writeFile(
      file,
      stringify({ rule_files: [alertsFile], evaluation_interval: "30s", tests }),
    );
    const { code, stdout, stderr } = await promtool("test", "rules", file);
    expect(code, stdout + stderr).toBe(0);
  });
});

function promtoolTest(alert: string, minutes: number, series: Series, fires: boolean) {
  return {
    name: `${alert} ${fires ? "fires" : "is silent"}`,
    interval: "1m",
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      {
        expr: `count(ALERTS{alertname="${alert}", alertstate="firing"})`,
        eval_time: `${minutes}m`,
        exp_samples: fires ? [{ labels: "{}", value: 1 }] : [],
      },
    ],
  };
}

/** The names in backticks in the first cells of a document's tables. */
function firstCells(document: string): string[] {
  const cells = [...document.matchAll(/^\| (`.*?) \|/gm)].map(([, cell = ""]) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name));
}
