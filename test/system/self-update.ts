/**
 * An installed gateway updates its engine over the air, to versions that work and to such that don't. `npm run
 * test:self-update`, as root, after `npm run release -- x64`.
 */
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageTarball } from "../support/package-tarball.ts";
import { type Container, names, suiteOf } from "./container.ts";
import { type Gateway, hasTrueDurations, prefix, product, runSteps, type Steps, serial } from "./gateway.ts";

const releases = join(import.meta.dirname, "../../release");
const app = {
  "supervisor.conf": { content: "[supervisord]\ncommand=sleep 86400\n" },
  "install.sh": { content: "#!/bin/sh\necho installed\n", mode: 0o755 },
};

interface Status {
  readonly engine: { readonly version: string; readonly pid: number };
  readonly apps: readonly { readonly name: string; readonly state: string; readonly pid?: number }[];
}

const steps: Steps = [
  ["the release is installed, set up by gwe setup --start, and runs an application", install],
  ["an update package replaces the engine; the application and pm2 run on", update],
  ["a version that ends at once is given up after three starts", crashing],
  [
    "a version that does not get a check-in through is given up, and its database opened by the former one",
    deaf,
    "long",
  ],
  ["a package for another machine is refused", otherMachine],
  ["a whole release replaces it, too", wholeRelease, "long"],
];

function archive(start: string): string {
  const name = readdirSync(releases).find((file) => file.startsWith(start) && file.endsWith("-x64.tar.gz"));
  assert.ok(name !== undefined, `${releases} has no ${start}…: npm run release -- x64`);
  return join(releases, name);
}

/** A release as a later commit would make it: another version, another migration, and what `edit` does to its bundles. */
function laterRelease(
  start: string,
  version: string,
  edit: (file: string, text: string) => string,
): Uint8Array<ArrayBuffer> {
  const directory = mkdtempSync("/var/tmp/gwe-self-update-");
  try {
    execFileSync("tar", ["-xzf", archive(start), "-C", directory]);
    const tree = join(directory, "gateway-engine/tree");
    const { version: former } = JSON.parse(readFileSync(join(tree, "package.json"), "utf8")) as {
      readonly version: string;
    };
    const seen = { version: false, migration: false };
    for (const name of ["package.json", ...readdirSync(join(tree, "dist")).map((file) => `dist/${file}`)]) {
      if (!/\.js(on)?$/.test(name)) continue;
      const text = readFileSync(join(tree, name), "utf8");
      const renamed = text.replaceAll(/(version"?:\s*)"([^"]+)"/g, (whole, key: string, found: string) =>
        found === former ? `${key}"${version}"` : whole,
      );
      const migrated = renamed.replace(
        /\{\s*id:\s*"engine\/0001-outbox"/,
        `{ id: "engine/next-${version}", sql: "CREATE TABLE \\"next ${version}\\" (x TEXT) STRICT" }, $&`,
      );
      seen.version ||= renamed !== text;
      seen.migration ||= migrated !== renamed;
      writeFileSync(join(tree, name), edit(name, migrated));
    }
    assert.deepEqual(seen, { version: true, migration: true });
    const sums = join(directory, "gateway-engine/SHA256SUMS");
    const lines = readFileSync(sums, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => {
        const path = line.slice(66);
        const digest = createHash("sha256")
          .update(readFileSync(join(directory, "gateway-engine", path)))
          .digest("hex");
        return `${digest}  ${path}\n`;
      });
    writeFileSync(sums, lines.join(""));
    execFileSync("tar", ["-cf", "p.tar", "gateway-engine"], { cwd: directory });
    execFileSync("gzip", ["-1", "p.tar"], { cwd: directory });
    return new Uint8Array(readFileSync(join(directory, "p.tar.gz")));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function statusOf(container: Container): Promise<Status | undefined> {
  const { stdout } = await container.try("gwe status --json");
  return stdout.startsWith("{") ? (JSON.parse(stdout) as Status) : undefined;
}

function runningApp(container: Container): Promise<number> {
  return container.eventually(
    "the application",
    async () =>
      (await statusOf(container))?.apps.find(({ name, state }) => name === "beat" && state === "RUNNING")
        ?.pid,
  );
}

async function install({ container, emulator, device }: Gateway): Promise<string> {
  execFileSync("tar", ["-xzf", archive("GatewayEngine.v"), "-C", container.file("/root")]);
  await container.sh("/root/gateway-engine/install.sh && rm -r /root/gateway-engine");
  const text = await container.sh(
    `gwe setup --product-id ${product} --serial ${serial} --server-url ${emulator.url} --start`,
  );
  assert.match(text, /Murano knows this gateway/);
  await container.sh(
    "printf 'check_in = long-poll\\n' >> /etc/gateway-engine/Engine.config; systemctl restart gateway-engine",
  );
  await emulator.addContent(product, "beat.v1.tar.gz", await packageTarball(app));
  await device.write("engine_fetch", JSON.stringify({ install: [{ name: "beat.v1.tar.gz" }] }));
  await runningApp(container);
  const doctor = await container.try("gwe doctor --quiet");
  assert.equal(doctor.status, 0, doctor.stdout);
  return doctor.stdout.trim().split("\n").at(-1) ?? "";
}

/** Milliseconds: longer than any trial. */
const patienceMs = hasTrueDurations ? 1_200_000 : 150_000;

interface Update {
  readonly status: string;
  readonly version: string;
  readonly tookMs: number;
}

/** Sends a version, and resolves when it is reported; whatever it is, the application and pm2 must run on. */
async function send(
  { container, emulator, device }: Gateway,
  id: string,
  blob: Uint8Array<ArrayBuffer>,
): Promise<Update> {
  const pid = await runningApp(container);
  const pm2 = await container.sh("systemctl show -P MainPID gateway-engine-pm2");
  await emulator.addContent(product, id, blob);
  const began = performance.now();
  await device.write("engine_fetch", JSON.stringify({ id, install: [{ name: id }] }));
  const status = await device.waitForValue(
    "fetch_status",
    (text) => text.includes(`"id":"${id}"`),
    patienceMs,
  );
  const tookMs = performance.now() - began;
  assert.equal(await runningApp(container), pid, "the application runs on");
  assert.equal(await container.sh("systemctl show -P MainPID gateway-engine-pm2"), pm2);
  // Removed after the report.
  await container.eventually(
    "what it was placed from to be gone",
    () => names(container, "/var/lib/gateway-engine/apps").join() === "beat",
  );
  assert.ok(!existsSync(container.file(`${prefix}/trial`)));
  return { status, version: (await statusOf(container))?.engine.version ?? "", tookMs };
}

const updateStart = "GatewayEngine-update.v";

async function update(scene: Gateway): Promise<string> {
  const { container } = scene;
  const blob = laterRelease(updateStart, "0.2.0", (_, text) => text);
  const { status, version, tookMs } = await send(scene, "GatewayEngine-update.v0.2.0-linux-x64.tar.gz", blob);
  assert.match(status, /"version":"0\.2\.0","status":"installed"/);
  assert.equal(version, "0.2.0");
  assert.match(
    await container.sh("readlink -f /proc/$(systemctl show -P MainPID gateway-engine-pm2)/exe"),
    /versions\/0\.1\.0\//,
  );
  assert.deepEqual(names(container, `${prefix}/versions`), ["0.1.0", "0.2.0"]);
  return `${(blob.length / 1e6).toFixed(1)} MB, ${(tookMs / 1000).toFixed(1)} s from the command to the report`;
}

async function crashing(scene: Gateway): Promise<string> {
  const blob = laterRelease(updateStart, "0.3.0", (name, text) =>
    name === "dist/gwe.js" ? `if (process.argv.length === 2) process.exit(1);\n${text}` : text,
  );
  const { status, version, tookMs } = await send(scene, "gwe.v0.3.0-linux-x64.tar.gz", blob);
  assert.match(
    status,
    /"version":"0\.3\.0","status":"rolled-back".*0\.2\.0 runs again: it was started 3 times without a check-in/,
  );
  assert.equal(version, "0.2.0");
  return `${(tookMs / 1000).toFixed(1)} s`;
}

async function deaf(scene: Gateway): Promise<string> {
  const { container, emulator } = scene;
  const probation = /lookEveryMs\s*=\s*3e4,\s*probationMs\s*=\s*10\s*\*\s*6e4/;
  const blob = laterRelease(updateStart, "0.4.0", (_, text) =>
    hasTrueDurations ? text : text.replace(probation, "lookEveryMs = 1e3, probationMs = 5e3"),
  );
  // Struck while the new version runs alone: the former one has to fetch it, and to tell of it.
  const former = (await statusOf(container))?.engine.pid;
  const struck = container.eventually(
    "the new version",
    async () => {
      const status = await statusOf(container);
      return status !== undefined && status.engine.pid !== former;
    },
    120_000,
  );
  // Without its reports, too: those that are refused thrice are left out of a check-in.
  const faults = ["write-read", "read"].map((procedure) => ({ match: { procedure }, status: 400 }));
  const sending = send(scene, "gwe.v0.4.0-linux-x64.tar.gz", blob);
  await container.eventually(
    "the switch",
    async () => (await container.sh(`readlink ${prefix}/current`)).includes("0.4.0"),
    120_000,
  );
  const ids = faults.map((fault) => emulator.addFault(fault));
  await struck;
  const began = performance.now();
  await container.eventually(
    "the return",
    async () => (await container.sh(`readlink ${prefix}/current`)).includes("0.2.0"),
    patienceMs,
  );
  const tookS = Math.round((performance.now() - began) / 1000);
  for (const id of ids) emulator.removeFault(id);
  const { status, version } = await sending;
  assert.match(
    status,
    /"version":"0\.4\.0","status":"rolled-back".*no check-in in .*Murano could be reached/,
  );
  assert.equal(version, "0.2.0");
  return await container
    .sh("journalctl -u gateway-engine -o cat --no-pager | grep -c 'written by a newer version'")
    .then((count) => `given up after ${tookS} s; ${count.trim()} starts with a newer database`);
}

async function otherMachine(scene: Gateway): Promise<undefined> {
  const { status, version } = await send(scene, "gwe.v0.5.0-linux-arm64.tar.gz", new Uint8Array(10));
  assert.match(status, /"status":"failed".*is for arm64/);
  assert.equal(version, "0.2.0");
}

async function wholeRelease(scene: Gateway): Promise<string> {
  const blob = laterRelease("GatewayEngine.v", "0.6.0", (_, text) => text);
  const { status, version, tookMs } = await send(scene, "GatewayEngine.v0.6.0-linux-x64.tar.gz", blob);
  assert.match(status, /"version":"0\.6\.0","status":"installed"/);
  assert.equal(version, "0.6.0");
  return `${(blob.length / 1e6).toFixed(1)} MB, ${(tookMs / 1000).toFixed(1)} s`;
}

await runSteps(import.meta.filename, steps, suiteOf(process.argv), {});
