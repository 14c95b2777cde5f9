import { readdirSync, readFileSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runProcess, temporaryDirectory } from "@countersign/testing";
import { validate } from "dockerfile-utils";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse, parseDocument } from "yaml";
import { z } from "zod";
import { createEnvironment } from "../src/home/environment.js";
import { AUTHORITY_KEYS, loadAuthoritySettings } from "../src/serve/authority-config.js";
import { loadGatewaySettings, withSettings } from "../src/serve/gateway-config.js";
import { documentedCommands, unknownWords } from "./documented-commands.js";

const ROOT = join(import.meta.dirname, "../../..");
const FOLDER = join(ROOT, "docs/operating");
const read = (name: string): string => readFileSync(join(FOLDER, name), "utf8");

// What a credential in a file would look like; a password after a colon in a URL too.
const SECRET = /cs_[a-z]+_[\w-]{20,}|eyJ[\w-]{20,}|-----BEGIN|:\/\/[^\s/:@]+:[^\s/@]+@/;
const FILES = [
  "Dockerfile",
  "compose.yaml",
  "authority.toml",
  "countersign-authority.service",
  "countersign-gateway.service",
  "gateway.md",
  "gateway.toml",
  "kubernetes.yaml",
  "README.md",
  "tracing.md",
  "figures.md",
  "alerts.yml",
  "dashboard.json",
];

test("come with the package, and nothing else that is in their folder", () => {
  const built = join(import.meta.dirname, "../dist/operating");
  expect(readdirSync(built).toSorted()).toEqual(FILES.toSorted());
});

test.each(FILES)("%s holds no secret", (name) => {
  expect(SECRET.exec(read(name))?.[0]).toBeUndefined();
});

test.each(FILES)("every command in %s is one of this program", (name) => {
  for (const words of documentedCommands(read(name))) {
    expect(unknownWords(words), words.join(" ")).toEqual([]);
  }
});

describe("Dockerfile", () => {
  const dockerfile = read("Dockerfile");
  const instructions = dockerfile
    .replace(/\\\n/g, " ")
    .split("\n")
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => [line.split(" ", 1)[0] ?? "", line.replace(/^\S+\s+/, "")] as const);
  const last = (name: string) =>
    instructions.findLast(([instruction]) => instruction === name)?.[1];

  test("has no error and no warning", () => {
    expect(validate(dockerfile)).toEqual([]);
  });

  test("names the version of what it is built from, the one that this is developed with", () => {
    const images = instructions.filter(([name]) => name === "FROM").map(([, rest]) => rest);
    expect(images.map((image) => image.split(" ")[0])).toEqual(["node:24-slim", "node:24-slim"]);
    const { devDependencies, scripts } = JSON.parse(
      readFileSync(join(ROOT, "package.json"), "utf8"),
    );
    expect(devDependencies.node).toMatch(/^24\./);
    expect(scripts.test).toContain(/pnpm@[\d.]+/.exec(dockerfile)?.[0]);
  });

  test("ends as another user than root, who is asked to end by the signal that drains", () => {
    expect(last("USER")).toBe("node");
    expect(last("STOPSIGNAL")).toBe("SIGTERM");
    expect(last("HEALTHCHECK")).toContain("/readyz");
  });

  test("starts a command of this program", () => {
    const words = [...JSON.parse(last("ENTRYPOINT") ?? ""), ...JSON.parse(last("CMD") ?? "")];
    expect(words[0]).toBe("countersign");
    expect(unknownWords(words.slice(1))).toEqual([]);
  });

  test("sets only variables that the authority knows", async () => {
    const environment = (last("ENV") ?? "").split(/\s+/).map((pair) => pair.split("="));
    const variables = Object.fromEntries(environment);
    const warnings: string[] = [];
    await loadAuthoritySettings(createEnvironment(variables), {}, undefined, (it) =>
      warnings.push(it),
    );
    expect(warnings).toEqual([]);
  });

  test("is built without what lies about in a checkout", () => {
    const ignored = readFileSync(join(ROOT, ".dockerignore"), "utf8").split("\n");
    for (const pattern of [
      ".git",
      "**/node_modules",
      "**/dist",
      "**/*.db",
      "**/.env*",
      "**/secrets",
    ]) {
      expect(ignored).toContain(pattern);
    }
  });
});

const service = z.strictObject({
  image: z.string().regex(/^[a-z0-9./-]+:[\w.-]+$/),
  build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
  profiles: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  restart: z.enum(["unless-stopped"]),
  environment: z.record(z.string().regex(/^[A-Z_]+$/), z.string()),
  secrets: z.array(z.string()),
  volumes: z.array(z.string().regex(/^[a-z-]+:\/[\w/]+$/)).optional(),
  ports: z.array(z.string()).optional(),
  depends_on: z
    .record(z.string(), z.strictObject({ condition: z.enum(["service_healthy"]) }))
    .optional(),
  healthcheck: z
    .strictObject({
      test: z.tuple([z.literal("CMD")], z.string()),
      interval: z.string().regex(/^\d+s$/),
      timeout: z.string().regex(/^\d+s$/),
      retries: z.int(),
      start_period: z.string().regex(/^\d+s$/),
    })
    .optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  stop_grace_period: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
});

const composeSchema = z.strictObject({
  name: z.string(),
  services: z.record(z.string(), service),
  secrets: z.record(z.string(), z.strictObject({ file: z.string() })),
  volumes: z.record(z.string(), z.null()),
});

describe("compose.yaml", () => {
  const compose = composeSchema.parse(parse(read("compose.yaml")));
  const services = Object.entries(compose.services);

  test("is YAML without errors, warnings and members twice", () => {
    const { errors, warnings } = parseDocument(read("compose.yaml"), { uniqueKeys: true });
    expect([errors, warnings]).toEqual([[], []]);
  });

  test.each(services)("%s uses nothing that is not declared, and no moving version", (_, it) => {
    for (const name of it.secrets) expect(Object.keys(compose.secrets)).toContain(name);
    for (const volume of it.volumes ?? []) {
      expect(Object.keys(compose.volumes)).toContain(volume.split(":")[0]);
    }
    for (const name of Object.keys(it.depends_on ?? {})) {
      // Its own, or that of the Dockerfile.
      const { healthcheck, build } = compose.services[name] ?? {};
      expect(healthcheck ?? build).toBeDefined();
    }
    expect(it.image).not.toMatch(/:latest$/);
  });

  test.each(services)(
    "%s has its secrets in files, and is published to this machine alone",
    (_, it) => {
      for (const [name, value] of Object.entries(it.environment)) {
        if (!/PASSWORD|SECRET|TOKEN|KEY/.test(name)) continue;
        // The path of a file, by the name of its variable or with the prefix of a source.
        const file = name.endsWith("_FILE") ? value : value.replace(/^file:/, "");
        expect([name, file]).toEqual([name, expect.stringMatching(/^\/run\/secrets\/[\w]+$/)]);
        expect(value === file).toBe(name.endsWith("_FILE"));
        expect(it.secrets).toContain(file.slice("/run/secrets/".length));
      }
      for (const port of it.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    },
  );

  test("waits for a PostgreSQL 17 that answers, and keeps its data", () => {
    expect(compose.services.postgres?.image).toBe("postgres:17");
    expect(compose.services.postgres?.volumes).toEqual(["postgres-data:/var/lib/postgresql/data"]);
    expect(compose.services.authority?.depends_on).toEqual({
      postgres: { condition: "service_healthy" },
    });
  });

  test("builds the Dockerfile beside it, from the root", () => {
    const { context = "", dockerfile = "" } = compose.services.authority?.build ?? {};
    expect(join(FOLDER, context, dockerfile)).toBe(join(FOLDER, "Dockerfile"));
  });

  test("gives the authority a database and only variables that it knows", async () => {
    const variables = { ...compose.services.authority?.environment };
    expect(new URL(variables.COUNTERSIGN_DATABASE_URL ?? "").hostname).toBe("postgres");
    const unknown = Object.keys(variables).filter(
      (name) => !name.startsWith("COUNTERSIGN_DATABASE_"),
    );
    expect(unknown).toEqual([]);
  });
});

describe("the gateway of compose.yaml", () => {
  const { gateway } = composeSchema.parse(parse(read("compose.yaml"))).services;

  test("is a command of this program with settings that it knows, and ends before it is killed", async () => {
    expect(unknownWords(gateway?.command ?? [])).toEqual([]);
    const warnings: string[] = [];
    const environment = createEnvironment({ ...gateway?.environment });
    const settings = await loadGatewaySettings(environment, undefined, (it) => warnings.push(it));
    expect(warnings).toEqual([]);
    expect(withSettings(settings, {})).toMatchObject({
      upstream: "http://api:8080",
      authority: "http://authority:4600",
    });
    expect(gateway?.healthcheck?.test.join(" ")).toContain("127.0.0.1:4702/readyz");
    expect(gateway?.stop_grace_period).toBe("15s");
  });
});

const UNITS = [
  {
    name: "countersign-authority.service",
    start: "authority serve --config /etc/countersign/authority.toml",
    folder: ["StateDirectory", "countersign"],
    stop: "15s",
  },
  {
    name: "countersign-gateway.service",
    start: "gateway --config /etc/countersign/gateway.toml",
    folder: ["LogsDirectory", "countersign-gateway"],
    stop: "30s",
  },
];

describe.each(UNITS)("$name", ({ name, start, folder: [directory = "", itsName = ""], stop }) => {
  const text = read(name);
  const unit = parseUnit(text);
  const KNOWN: Readonly<Record<string, RegExp>> = {
    Unit: /^(?:Description|Documentation|After|Wants)$/,
    Service:
      /^(?:Type|Exec(?:Start|Reload)|Environment|LoadCredential|Restart(?:Sec)?|KillSignal|KillMode|TimeoutStopSec|LimitNOFILE|DynamicUser|(?:State|Logs)Directory(?:Mode)?|UMask|WorkingDirectory|NoNewPrivileges|Protect(?:System|Home|Clock|ControlGroups|Hostname|Kernel(?:Logs|Modules|Tunables)|Proc)|Private(?:Tmp|Devices|Users)|Restrict(?:AddressFamilies|Namespaces|Realtime|SUIDSGID)|LockPersonality|RemoveIPC|CapabilityBoundingSet|AmbientCapabilities|SystemCall(?:Architectures|Filter|ErrorNumber))$/,
    Install: /^WantedBy$/,
  };

  test("has the sections of a service, and keys of them alone", () => {
    expect([...unit.keys()]).toEqual(Object.keys(KNOWN));
    for (const [section, entries] of unit) {
      for (const [key] of entries) expect(key, section).toMatch(KNOWN[section] ?? /$^/);
    }
  });

  test("is confined, restarts after a failure, and has longer to end than requests have", () => {
    expect(Object.fromEntries(unit.get("Service") ?? [])).toMatchObject({
      DynamicUser: "yes",
      [directory]: itsName,
      [`${directory}Mode`]: "0700",
      NoNewPrivileges: "yes",
      ProtectSystem: "strict",
      CapabilityBoundingSet: "",
      Restart: "on-failure",
      KillSignal: "SIGTERM",
      TimeoutStopSec: stop,
    });
  });

  test("starts its server with the configuration that stands beside it", () => {
    expect(new Map(unit.get("Service")).get("ExecStart")).toBe(`/usr/bin/countersign ${start}`);
  });

  test("says that a new credential needs a restart, since systemd copies it at the start", () => {
    expect(text).toMatch(/LoadCredential/);
    expect(text).toMatch(
      /systemd copies \w+ (?:when it starts the unit|at the start), so that a new one needs a restart/,
    );
    expect(read("gateway.md")).not.toMatch(/reload[^.]*credentials/);
  });

  test("sets only variables that its server knows", async () => {
    const entries = (unit.get("Service") ?? []).filter(([key]) => key === "Environment");
    const variables = Object.fromEntries(
      entries.map(([, value]) => value.replace(/^"|"$/g, "").split(/=(.*)/s).slice(0, 2)),
    );
    const warnings: string[] = [];
    const environment = createEnvironment(variables);
    await loadGatewaySettings(environment, undefined, (it) => warnings.push(it));
    expect(warnings).toEqual([]);
  });

  test("passes systemd's own check, where that is there", async () => {
    await using folder = await temporaryDirectory();
    const file = join(folder.path, name);
    // The command need not be installed here.
    await writeFile(
      file,
      text.replace("ExecStart=/usr/bin/countersign", `ExecStart=${process.execPath}`),
    );
    const result = await runProcess("systemd-analyze", ["verify", file]).catch(() => undefined);
    if (result === undefined) {
      console.warn("not checked by systemd-analyze, which is not installed");
      return;
    }
    expect(result).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("authority.toml", () => {
  const text = read("authority.toml");

  test("is taken as it is", async () => {
    expect(await load(text)).toMatchObject({ public_url: "https://authority.example" });
  });

  test("shows every key that there is, and its comments are values that would be taken", async () => {
    const all = text.replace(/^# (?=[a-z_]+ = |\[)/gm, "");
    expect(Object.keys(await load(all)).sort()).toEqual([...AUTHORITY_KEYS].sort());
  });

  async function load(content: string) {
    const folder = await temporaryDirectory();
    onTestFinished(() => folder.remove());
    const file = join(folder.path, "authority.toml");
    await writeFile(file, content);
    await chmod(file, 0o600);
    return await loadAuthoritySettings(createEnvironment({}), {}, file, () => {});
  }
});

describe("README.md", () => {
  test("has a row for every key, with the variable's name made of it", () => {
    const rows = [...read("README.md").matchAll(/^\| `([a-z_.]+)` \|/gm)].map(([, key]) => key);
    expect(rows.sort()).toEqual([...AUTHORITY_KEYS].sort());
  });
});

/** The sections of a unit file with their entries, in order. */
function parseUnit(text: string): Map<string, (readonly [string, string])[]> {
  const sections = new Map<string, (readonly [string, string])[]>();
  let entries: (readonly [string, string])[] = [];
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const section = /^\[(\w+)\]$/.exec(line)?.[1];
    if (section !== undefined) {
      entries = [];
      sections.set(section, entries);
      continue;
    }
    const [, key = "", value = ""] = /^(\w+)=(.*)$/.exec(line) ?? [];
    expect(key, line).not.toBe("");
    entries.push([key, value]);
  }
  return sections;
}
