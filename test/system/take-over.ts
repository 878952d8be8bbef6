/**
 * A gateway with an original engine, played by Debian's supervisord and a stand-in, is taken over by the package that it
 * installs over the air. `npm run test:take-over`, as root, after `npm run release -- x64`.
 */
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { startTestEmulator, type TestEmulator } from "../support/emulator.ts";
import { Container, network, prepareNetwork, suiteOf } from "./container.ts";
import { type Gateway, hasTrueDurations, perform, type Steps } from "./gateway.ts";
import { inNetworkOfItsOwn } from "./run-alone.ts";

const product = "take-over-test";
const serial = "FF:10:C2:9B:A8:46";
const releases = join(import.meta.dirname, "../../release");
const originals = "/usr/local/lib/python2.7/dist-packages/GatewayEngine";
const debianPackages = ["supervisor"];
const packageId = "gwe-takeover.v1-linux-x64.tar.gz";

interface Scene extends Gateway {
  readonly cik: string;
}

const steps: Steps<Scene> = [
  ["the stand-in runs its applications under supervisord", theOriginalRuns],
  ["a gateway that cannot be taken over is left as it is, and says why", refuses],
  ["without a check-in all is put back, and nothing of the new engine is left", putsBack, "long"],
  ["killed in the middle of the switch, it goes on; identity and applications are kept", takesOver],
  ["after a reboot the new engine runs, and no supervisord", reboots],
  ["asked for, the original is put back", restores, "long"],
];

async function main(): Promise<void> {
  prepareNetwork();
  await using emulator = await startTestEmulator({ host: network.host });
  const { device, cik } = await emulator.addActivated(product, serial);
  await using container = new Container(suiteOf(process.argv), debianPackages);
  prepare(container, emulator, cik);
  await emulator.addContent(product, packageId, takeOverPackage());
  container.boot({});
  await container.booted();
  const failed = await perform(steps, { container, emulator, device, cik });
  process.exitCode = failed === 0 ? 0 : 1;
}

/** Milliseconds: longer than the trial. */
const patienceMs = hasTrueDurations ? 900_000 : 120_000;

/** The released package, its trial of seconds in place of minutes. */
function takeOverPackage(): Uint8Array<ArrayBuffer> {
  const name = readdirSync(releases).find((file) => /^gwe-takeover\..*-x64\.tar\.gz$/.test(file));
  assert.ok(name !== undefined, `${releases} has no take-over package: npm run release -- x64`);
  if (hasTrueDurations) return new Uint8Array(readFileSync(join(releases, name)));
  const directory = mkdtempSync("/var/tmp/gwe-take-over-");
  try {
    execFileSync("tar", ["-xzf", join(releases, name), "-C", directory]);
    const script = join(directory, "gwe-takeover/install.sh");
    const text = readFileSync(script, "utf8");
    const changed = text.replace('take-over prepare "$@"', "take-over prepare --delay 2 --limit 20");
    assert.notEqual(changed, text);
    writeFileSync(script, changed);
    execFileSync("tar", ["-cf", "p.tar", "gwe-takeover"], { cwd: directory });
    execFileSync("gzip", ["-1", "p.tar"], { cwd: directory });
    return new Uint8Array(readFileSync(join(directory, "p.tar.gz")));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function prepare(container: Container, emulator: TestEmulator, cik: string): void {
  const program = (name: string, command: string, more = ""): string =>
    `[program:${name}]\ncommand=${command}\nautorestart=true\n${more}`;
  const files = {
    [`${originals}/Gateway.cfg`]: `[device]\ncik = ${cik}\nvendor = ${product}\nmodel = ${product}\nuuid = ${serial}\niface = ''\nserver_url = ${emulator.url}\n`,
    [`${originals}/Engine.config`]:
      "[engine]\nupdate_interval = 2\napps = [{'counter': '1.2'}, {'idle': '7'}]\n",
    "/usr/local/bin/gwe": readFileSync(join(import.meta.dirname, "original-engine.py"), "utf8"),
    "/usr/local/bin/gdc": "#!/bin/sh\necho the original\n",
    "/etc/supervisor/conf.d/gwe.conf": program("gwe", "/usr/local/bin/gwe", "stopasgroup=true\n"),
    "/etc/supervisor/conf.d/counter.conf": program(
      "counter",
      "/opt/counter/run.sh --rate 5",
      'stdout_logfile=/var/log/counter.log\nredirect_stderr=true\nenvironment=UNIT="a b"\n',
    ),
    "/etc/supervisor/conf.d/idle.conf": program("idle", "/opt/counter/run.sh idle", "stopsignal=INT\n"),
    "/opt/counter/run.sh": '#!/bin/sh\necho "$UNIT in $(pwd) with $*"\nwhile :; do sleep 0.2; done\n',
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(container.file(file)), { recursive: true });
    writeFileSync(container.file(file), text);
    if (text.startsWith("#!")) chmodSync(container.file(file), 0o755);
  }
}

const kept = ["/usr/local/bin", "/etc/supervisor", originals, "/etc/systemd/system"];

/** Every file of the original, and what is enabled, with mode, owner and content. */
function snapshot({ container }: Scene): Promise<string> {
  const places = kept.join(" ");
  return container.sh(
    `find ${places} ! -type d -printf '%p %M %u:%g %l\\n' | sort; find ${places} -type f -exec sha256sum {} + | sort`,
  );
}

async function supervised({ container }: Scene): Promise<string> {
  const { stdout } = await container.try("supervisorctl status");
  return stdout
    .replace(/ +/g, " ")
    .replace(/,.*/g, "")
    .replace(/pid \d+/g, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .sort()
    .join("; ");
}

async function theOriginalRuns(scene: Scene): Promise<undefined> {
  const { container } = scene;
  await container.eventually("the programs", async () =>
    (await supervised(scene)).startsWith("counter RUNNING; gwe RUNNING; idle RUNNING"),
  );
  // As an operator might: it has to be so afterwards, too.
  await container.sh("supervisorctl stop idle");
}

async function install({ device }: Scene, accept: (status: string) => boolean): Promise<string> {
  await device.write("engine_fetch", JSON.stringify({ install: [{ name: packageId }] }));
  return device.waitForValue("fetch_status", accept, patienceMs);
}

async function refuses(scene: Scene): Promise<undefined> {
  const { container } = scene;
  await container.sh(`printf '[group:odd]\\nprograms=counter\\n' >> /etc/supervisor/conf.d/counter.conf`);
  const before = await snapshot(scene);
  const status = await install(scene, (text) => text.includes("ended with"));
  assert.match(
    status,
    /ended with 1\n[\s\S]*counter\.conf holds counter and something that stays supervisord's/,
  );
  assert.equal(await snapshot(scene), before);
  assert.equal((await container.try("ls -d /opt/gateway-engine /etc/gateway-engine")).stdout, "");
  await container.sh("sed -i '/group:odd/,$d' /etc/supervisor/conf.d/counter.conf");
}

async function putsBack(scene: Scene): Promise<string> {
  const { container, emulator, device } = scene;
  const before = await snapshot(scene);
  // Only the new engine checks in with one request.
  const fault = emulator.addFault({ match: { procedure: "write-read" }, status: 503 });
  const status = await install(scene, (text) => text.includes("ended with 0"));
  assert.match(status, /In (2|30) seconds Gateway Engine takes over/);
  const began = performance.now();
  await container.eventually("the original to be stopped", async () => (await phase(container)) === "trial");
  const failed = await device.waitForValue(
    "fetch_status",
    (text) => text.includes('"name":"gwe-takeover"'),
    patienceMs,
  );
  assert.match(failed, /"status":"failed".*no check-in succeeded.*503/);
  await container.eventually(
    "its own removal",
    async () => (await container.try("ls -d /opt/gateway-engine /var/lib/gateway-engine")).stdout === "",
  );
  const tookMs = performance.now() - began;
  emulator.removeFault(fault);
  assert.equal(await snapshot(scene), before);
  await container.eventually("the former states", async () =>
    (await supervised(scene)).startsWith("counter RUNNING; gwe RUNNING; idle STOPPED"),
  );
  assert.equal((await container.try("pgrep -f 'gwe-pm[2]|launcher[.]sh|gateway-engin[e]'")).stdout, "");
  assert.match(await container.sh("gwe --gateway-cik"), new RegExp(scene.cik));
  return `${(tookMs / 1000).toFixed(1)} s from the trial's begin, without a check-in, to the original's return; ${hasTrueDurations ? 600 : 20} allowed`;
}

/** What the take-over is at; empty where there is none. */
async function phase(container: Container): Promise<string> {
  const { stdout } = await container.try("cat /var/lib/gateway-engine/take-over/state.json");
  return /"phase": "(\w+)"/.exec(stdout)?.[1] ?? "";
}

interface Status {
  readonly device: { readonly serial: string };
  readonly checkIn: { readonly lastSuccessAtMs: number | null; readonly intervalS: number };
  readonly apps: readonly {
    readonly name: string;
    readonly version: string;
    readonly state: string;
    readonly pid?: number;
  }[];
}

async function engineStatus(container: Container): Promise<Status | undefined> {
  const { stdout } = await container.try("gwe status --json");
  return stdout.startsWith("{") ? (JSON.parse(stdout) as Status) : undefined;
}

async function takesOver(scene: Scene): Promise<string> {
  const { container, emulator, device, cik } = scene;
  const { cursor } = emulator;
  await install(scene, (text) => text.includes("ended with 0"));
  const unit = "gateway-engine-take-over";
  // As a crash would, wherever it is by then; systemd starts it again.
  await container.eventually("the switch to begin", async () => (await phase(container)) === "switching");
  await container.sh(`systemctl kill -s KILL ${unit}`);
  const began = performance.now();
  const told = await device.waitForValue(
    "fetch_status",
    (text) => text.includes("gwe-takeover") && text.includes('"installed"'),
    patienceMs,
  );
  assert.match(told, /"name":"gwe-takeover"/);
  const tookMs = performance.now() - began;
  const status = await engineStatus(container);
  assert.deepEqual(
    { serial: status?.device.serial, interval: status?.checkIn.intervalS },
    { serial, interval: 2 },
  );
  const app = (name: string) => status?.apps.find((found) => found.name === name);
  assert.deepEqual([app("counter")?.version, app("idle")?.version], ["1.2", "7"]);
  assert.equal(app("counter")?.state, "RUNNING");
  assert.match(await container.sh("tail -n 1 /var/log/counter.log"), /^a b in \/ with --rate 5$/m);
  assert.equal((await container.sh("gwe --gateway-cik")).trim(), cik);
  assert.equal(emulator.requests({ after: cursor, path: "activate" }).length, 0, "no activation was needed");
  assert.equal(
    (await container.try("systemctl is-active supervisor; systemctl is-enabled supervisor")).stdout,
    "inactive\ndisabled\n",
  );
  assert.equal(
    await container.sh("readlink /usr/local/bin/supervisorctl"),
    "/opt/gateway-engine/current/bin/supervisorctl\n",
  );
  assert.equal((await container.try(`systemctl is-enabled ${unit}`)).stdout, "disabled\n");
  return `${(tookMs / 1000).toFixed(1)} s from the kill to the committed take-over`;
}

async function reboots({ container, emulator }: Scene): Promise<undefined> {
  await container.reboot();
  const after = emulator.cursor;
  await container.booted();
  await emulator.waitForRequest({ after, procedure: "write-read" }, { timeoutMs: 60_000 });
  await container.eventually("the application", async () =>
    (await engineStatus(container))?.apps.some(
      ({ name, state }) => name === "counter" && state === "RUNNING",
    ),
  );
  assert.equal((await container.try("pgrep -x supervisord")).stdout, "");
  assert.equal((await container.sh("pgrep -fc 'run[.]sh --rate 5'")).trim(), "1");
}

async function restores(scene: Scene): Promise<undefined> {
  const { container } = scene;
  await container.sh("gwe take-over restore");
  await container.eventually(
    "its own removal",
    async () => (await container.try("ls -d /opt/gateway-engine /var/lib/gateway-engine")).stdout === "",
  );
  await container.eventually("the former states", async () =>
    (await supervised(scene)).startsWith("counter RUNNING; gwe RUNNING; idle STOPPED"),
  );
  assert.equal((await container.sh("systemctl is-enabled supervisor")).trim(), "enabled");
  assert.equal((await container.sh("pgrep -fc 'run[.]sh --rate 5'")).trim(), "1");
}

if (process.env.GWE_SYSTEM_NETWORK === undefined)
  process.exit(inNetworkOfItsOwn(import.meta.filename, [suiteOf(process.argv), debianPackages]));
else await main();
