/**
 * The main job on an installed gateway: a Debian with a real systemd, the engine installed by packaging/install.sh, a
 * Murano beside it. `npm run test:system [-- trixie]`, as root; test/README.md says what it needs.
 */
import { strict as assert } from "node:assert";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type EmulatedDevice, startTestEmulator, type TestEmulator } from "../support/emulator.ts";
import { packageTarball } from "../support/package-tarball.ts";
import { Container, names, network, prepareNetwork } from "./container.ts";
import { inNetworkOfItsOwn } from "./run-alone.ts";

const checkout = join(import.meta.dirname, "../..");
const product = "system-test";
const serial = "gateway-1";
const engineUnit = "gateway-engine.service";
const pm2Unit = "gateway-engine-pm2.service";
const prefix = "/opt/gateway-engine";
const installer = "packaging/install.sh";

/** Beats into its log, and says which signal it was asked to end with. */
const appScript = `#!/bin/sh
trap 'echo "asked by INT"; echo beat >>/order; exit 0' INT
trap 'echo "asked by TERM"; exit 0' TERM
echo "started $$"
while :; do sleep 0.2; done
`;
const appConf = "[supervisord]\ncommand=./run.sh\nstopsignal=INT\nautorestart=true\nstartsecs=1\n";

interface Gateway {
  readonly container: Container;
  readonly emulator: TestEmulator;
  readonly device: EmulatedDevice;
}

async function main(): Promise<void> {
  prepareNetwork();
  let failed = 0;
  let passed = 0;
  await using emulator = await startTestEmulator({ host: network.host });
  const device = await emulator.addSerial(product, serial);
  await using container = new Container(process.argv[2] ?? "bookworm");
  container.boot({ [checkout]: "/checkout" });
  await container.booted();
  const gateway: Gateway = { container, emulator, device };
  for (const [what, step] of steps) {
    const began = performance.now();
    try {
      const figure = await step(gateway);
      passed++;
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(`ok    ${what} (${seconds} s)${figure === undefined ? "" : `: ${figure}`}`);
    } catch (error) {
      failed++;
      console.log(`FAIL  ${what}`);
      console.log(error);
      console.log(await container.diagnosis());
      // Each step builds on the ones before.
      break;
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

type Step = (gateway: Gateway) => Promise<string | undefined>;
const steps: readonly (readonly [string, Step])[] = [
  ["install.sh installs from a checkout and starts nothing", install],
  ["systemd-analyze verify has nothing to say about the units", verifyUnits],
  ["run again, install.sh changes nothing", installAgain],
  ["configured and started, the gateway activates", activate],
  ["an app comes over the air and runs", installApp],
  ["systemctl restart leaves the app alone", restartEngine],
  ["an engine whose event loop hangs is replaced by the watchdog, the app untouched", hangEngine],
  ["an installer runs in a scope of its own and outlives a killed engine's unit", installerScope],
  ["kill -9 of the engine: back by itself, the app untouched", killEngine],
  ["an upgrade keeps configuration and app", upgrade],
  ["kill -9 of pm2's daemon: the app runs again", killPm2],
  ["after a reboot, engine and app are up by themselves", reboot],
  ["systemctl stop ends everything, apps by their own signal", stopAll],
  ["gwe --once in a shell has its apps run by the same unit", runOnce],
  ["an app stopped by its operator stays so over a reboot", keepStopped],
  ["systemctl stop of an engine that crashes again and again ends everything", stopWhileCrashing],
  ["--uninstall keeps configuration and state, --purge does not", uninstall],
];

async function install({ container }: Gateway): Promise<string> {
  const text = await container.sh(`/checkout/${installer}`);
  assert.match(text, /gwe --set-product-id/);
  assert.equal(
    (await container.try(`systemctl is-active ${engineUnit} ${pm2Unit}`)).stdout,
    "inactive\ninactive\n",
  );
  assert.equal(await container.sh(`systemctl is-enabled ${engineUnit}`), "enabled\n");
  const { mode } = statSync(container.file("/etc/gateway-engine/Gateway.cfg"));
  assert.equal(mode & 0o777, 0o640);
  assert.equal(await container.sh("stat -c %G /etc/gateway-engine/Gateway.cfg"), "gateway-engine\n");
  assert.match(await container.sh("gwe --version && gdc -v && gmq -v"), /^(\S+\n){3}$/);
  assert.equal(await container.sh("command -v supervisorctl"), "/usr/local/bin/supervisorctl\n");
  return (await container.sh(`du -sh ${prefix}/versions`)).split("\t")[0] ?? "";
}

async function verifyUnits({ container }: Gateway): Promise<undefined> {
  const { status, stdout, stderr } = await container.try(`systemd-analyze verify ${engineUnit} ${pm2Unit}`);
  assert.deepEqual({ status, text: stdout + stderr }, { status: 0, text: "" });
}

async function installAgain({ container }: Gateway): Promise<undefined> {
  const before = await snapshot(container);
  await container.sh(`/checkout/${installer}`);
  const known = new Set(before);
  assert.deepEqual(
    (await snapshot(container)).filter((line) => !known.has(line)),
    [],
  );
}

/** Every file's name, mode, owner, size and time of change, where the installation puts some. */
async function snapshot(container: Container): Promise<readonly string[]> {
  const places = `${prefix} /etc/gateway-engine /usr/local/bin`;
  return (await container.sh(`find ${places} ! -type d -printf '%p %M %u:%g %s %T@ %l\\n'`)).split("\n");
}

async function activate({ container, emulator, device }: Gateway): Promise<string> {
  await container.sh(`gwe --set-product-id ${product} --set-uuid ${serial} --set-update-interval 5`);
  const file = "/etc/gateway-engine/Gateway.cfg";
  await container.sh(`sed -i 's|^# server_url = .*|server_url = ${emulator.url}|' ${file}`);
  await container.sh("printf 'check_in = long-poll\\n' >> /etc/gateway-engine/Engine.config");
  const began = performance.now();
  await container.sh(`systemctl start ${engineUnit}`);
  await container.eventually("a CIK", async () =>
    /^[0-9A-Za-z]{40}$/.test((await container.sh("gwe -C")).trim()),
  );
  await device.waitForValue("engine_report", (text) => text.includes('"gwe"'), 20_000);
  const journal = await container.sh(`journalctl -u ${engineUnit} -o cat --no-pager`);
  assert.ok(!journal.includes((await container.sh("gwe -C")).trim()), "the CIK is in the journal");
  const priorities = await container.sh(`journalctl -u ${engineUnit} -p info..info -o cat --no-pager`);
  assert.ok(priorities.length > 0 && !priorities.includes("<6>"), "priorities reach the journal as such");
  assert.ok(!existsSync(container.file("/var/log/gwe.log")), "the journal is the log");
  return `${Math.round(performance.now() - began)} ms from start to the first report`;
}

async function installApp({ container, emulator, device }: Gateway): Promise<string> {
  const blob = await packageTarball({
    "supervisor.conf": { content: appConf },
    "install.sh": { content: "#!/bin/sh\nchmod +x run.sh\necho installed\n", mode: 0o755 },
    "run.sh": { content: appScript, mode: 0o755 },
  });
  await emulator.addContent(product, "beat.v1.0.tar.gz", blob);
  const began = performance.now();
  await device.write("engine_fetch", JSON.stringify({ install: [{ name: "beat.v1.0.tar.gz" }] }));
  await device.waitForValue("fetch_status", (text) => text.includes('"installed"'), 60_000);
  const pid = await runningApp(container);
  assert.match(
    await container.sh(`cat /proc/${pid}/cgroup`),
    /gateway-engine-pm2\.service/,
    "the app belongs to pm2's unit",
  );
  return `${Math.round(performance.now() - began)} ms`;
}

interface AppStatus {
  readonly name: string;
  readonly state: string;
  readonly pid?: number;
}

/** The pid of the app once it is RUNNING. */
function runningApp(container: Container): Promise<number> {
  return container.eventually("the app to run", async () => {
    const app = await appStatus(container);
    return app?.state === "RUNNING" && app.pid !== undefined ? app.pid : undefined;
  });
}

async function appStatus(container: Container): Promise<AppStatus | undefined> {
  const { status, stdout } = await container.try("gwe status --json");
  if (status !== 0) return undefined;
  const { apps } = JSON.parse(stdout) as { readonly apps: readonly AppStatus[] };
  return apps.find(({ name }) => name === "beat");
}

async function mainPid(container: Container, unit: string): Promise<number> {
  return Number(await container.sh(`systemctl show -P MainPID ${unit}`));
}

/** Resolves when an engine other than `former` answers. */
async function untilOtherEngine(container: Container, former: number): Promise<void> {
  await container.eventually("another engine", async () => {
    const pid = await mainPid(container, engineUnit);
    return pid !== 0 && pid !== former && (await container.try("gwe status")).status === 0;
  });
}

async function restartEngine({ container }: Gateway): Promise<undefined> {
  const app = await runningApp(container);
  const pm2 = await mainPid(container, pm2Unit);
  const engine = await mainPid(container, engineUnit);
  await container.sh(`systemctl restart ${engineUnit}`);
  await untilOtherEngine(container, engine);
  assert.equal(await runningApp(container), app);
  assert.equal(await mainPid(container, pm2Unit), pm2);
}

async function hangEngine({ container }: Gateway): Promise<string> {
  const app = await runningApp(container);
  const period = async (): Promise<string> => container.sh(`systemctl show -P WatchdogUSec ${engineUnit}`);
  assert.equal(await period(), "1min 30s\n");
  await container.sh("mkdir -p /run/systemd/system/gateway-engine.service.d");
  await container.sh(
    "printf '[Service]\\nWatchdogSec=3\\n' >/run/systemd/system/gateway-engine.service.d/test.conf",
  );
  await container.sh(`systemctl daemon-reload && systemctl restart ${engineUnit}`);
  const engine = await mainPid(container, engineUnit);
  const restarts = Number(await container.sh(`systemctl show -P NRestarts ${engineUnit}`));
  // Fed: it lives on through several periods.
  await container.sh("sleep 7");
  assert.equal(await mainPid(container, engineUnit), engine);
  const began = performance.now();
  await container.sh(`kill -STOP ${engine}`);
  await untilOtherEngine(container, engine);
  const tookMs = Math.round(performance.now() - began);
  assert.equal(Number(await container.sh(`systemctl show -P NRestarts ${engineUnit}`)), restarts + 1);
  assert.match(await container.sh(`journalctl -u ${engineUnit} --no-pager`), /Watchdog timeout/);
  assert.equal(await runningApp(container), app);
  await container.sh("rm -r /run/systemd/system/gateway-engine.service.d && systemctl daemon-reload");
  await container.sh(`systemctl restart ${engineUnit}`);
  return `another engine ${tookMs} ms after the hang, of a period of 3 s`;
}

async function installerScope({ container, emulator, device }: Gateway): Promise<undefined> {
  const script = "#!/bin/sh\ncat /proc/self/cgroup /proc/self/oom_score_adj\nexec sleep 300\n";
  const blob = await packageTarball({ "install.sh": { content: script, mode: 0o755 } });
  await emulator.addContent(product, "slow.v1.0.tar.gz", blob);
  await device.write("engine_fetch", JSON.stringify({ install: [{ name: "slow.v1.0.tar.gz" }] }));
  const installer = await container.eventually("the installer", async () => {
    const pid = Number((await container.try("pgrep -xf 'sleep 300'")).stdout);
    return pid > 0 && pid;
  });
  const cgroup = await container.sh(`cat /proc/${installer}/cgroup`);
  assert.match(cgroup, /gateway-engine-installers\.slice\/run-[\w-]+\.scope/);
  assert.equal(await container.sh(`cat /proc/${installer}/oom_score_adj`), "0\n");
  const engine = await mainPid(container, engineUnit);
  await container.sh(`kill -9 ${engine}`);
  await container.eventually("the unit to be emptied", async () =>
    (await container.sh(`systemctl show -P SubState ${engineUnit}`)).includes("stop-post"),
  );
  assert.equal((await container.try(`kill -0 ${installer}`)).status, 0, "systemd has left it alone");
  // The pipeline then ends it in good order: its output is lost. A one-off is not run again.
  await untilOtherEngine(container, engine);
  await device.waitForValue("fetch_status", (text) => text.includes('"interrupted"'), 60_000);
  assert.equal((await container.try(`kill -0 ${installer}`)).status, 1);
}

async function killEngine({ container }: Gateway): Promise<string> {
  const app = await runningApp(container);
  const engine = await mainPid(container, engineUnit);
  const began = performance.now();
  await container.sh(`kill -9 ${engine}`);
  await untilOtherEngine(container, engine);
  const tookMs = Math.round(performance.now() - began);
  assert.equal(await runningApp(container), app);
  return `engine back after ${tookMs} ms`;
}

async function upgrade({ container }: Gateway): Promise<undefined> {
  const app = await runningApp(container);
  const pm2 = await mainPid(container, pm2Unit);
  const engine = await mainPid(container, engineUnit);
  const configured = await container.sh("cat /etc/gateway-engine/*");
  // The same but for one text file: another version as far as the installer is concerned.
  await container.sh(
    "mkdir /next && cd /checkout && cp -a bin dist docs packaging LICENSE README.md package.json /next",
  );
  await container.sh("ln -s /checkout/node_modules /next/node_modules && echo changed > /next/CHANGELOG.md");
  await container.sh(`/next/${installer} --now`);
  await untilOtherEngine(container, engine);
  assert.equal(names(container, `${prefix}/versions`).length, 2);
  assert.equal(await container.sh(`cat ${prefix}/current/CHANGELOG.md`), "changed\n");
  assert.match(
    await container.sh(`readlink /proc/${await mainPid(container, engineUnit)}/exe`),
    /versions\/[^/]+-2\/runtime/,
  );
  assert.equal(await container.sh("cat /etc/gateway-engine/*"), configured);
  assert.equal(await runningApp(container), app);
  assert.equal(await mainPid(container, pm2Unit), pm2);
}

/** One entry for each run of the app: its session. What it has just forked looks like it, but shares its session. */
async function appSessions(container: Container): Promise<readonly number[]> {
  const text = await container.sh("ps -eo sid=,args= | grep run[.]sh || true");
  const lines = text.split("\n").filter((line) => line !== "");
  return [...new Set(lines.map((line) => Number.parseInt(line, 10)))];
}

async function killPm2({ container }: Gateway): Promise<string> {
  const app = await runningApp(container);
  const pm2 = await mainPid(container, pm2Unit);
  const began = performance.now();
  await container.sh(`kill -9 ${pm2}`);
  await container.eventually("another app process", async () => {
    const sessions = await appSessions(container);
    assert.ok(sessions.length <= 1, `the app runs ${sessions.length} times`);
    return sessions.length === 1 && sessions[0] !== app;
  });
  const tookMs = Math.round(performance.now() - began);
  assert.ok(tookMs < 5_000, `the app was away for ${tookMs} ms`);
  assert.notEqual(await mainPid(container, pm2Unit), pm2);
  await runningApp(container);
  return `app back after ${tookMs} ms`;
}

async function reboot({ container, emulator }: Gateway): Promise<string> {
  await container.reboot();
  const began = performance.now();
  const after = emulator.cursor;
  const since = (): number => Math.round(performance.now() - began);
  const checkedIn = emulator
    .waitForRequest(
      { after },
      { timeoutMs: 60_000, where: ({ path, status }) => path.includes("engine_fetch") && status < 300 },
    )
    .then(since);
  const appLogged = container
    .eventually("the app to start", async () => (await container.try("pgrep -f run[.]sh")).status === 0)
    .then(since);
  const [checkInMs, appMs] = await Promise.all([checkedIn, appLogged]);
  await runningApp(container);
  return `${checkInMs} ms from power-on to the first check-in, ${appMs} ms to the app`;
}

/** Processes that run from the installation, or are the app, or its launcher. */
function leftovers(container: Container): Promise<string> {
  return container.sh(
    `for p in /proc/[0-9]*; do case $(readlink $p/exe) in ${prefix}/*) echo $p;; esac; done; ` +
      "pgrep -af 'launcher[.]sh|run[.]sh|gwe-pm[2]' || true",
  );
}

async function stopAll({ container }: Gateway): Promise<string> {
  await runningApp(container);
  const script = 'trap "sleep 0.5; echo first >>/order; exit 0" TERM; while :; do sleep 0.1; done';
  const conf = `[supervisord]\ncommand=/bin/sh -c '${script}'\npriority=1000\nstartsecs=0\n`;
  const blob = await packageTarball({
    "supervisor.conf": { content: conf },
    "install.sh": { content: "#!/bin/sh\nexit 0\n", mode: 0o755 },
  });
  writeFileSync(container.file("/first.v1.0.tar.gz"), blob);
  await container.sh("gwe install /first.v1.0.tar.gz && rm -f /order");
  assert.notEqual(await leftovers(container), "");
  const began = performance.now();
  await container.sh(`systemctl stop ${engineUnit}`);
  const tookMs = Math.round(performance.now() - began);
  // At once: the command returns when the apps have ended.
  assert.equal(await leftovers(container), "");
  assert.equal(
    (await container.try(`systemctl is-failed ${engineUnit} ${pm2Unit}`)).stdout,
    "inactive\ninactive\n",
  );
  // Started last, and stopped first.
  assert.equal(await container.sh("cat /order"), "first\nbeat\n");
  assert.match(
    await container.sh("tail -n 1 /var/log/beat-stdout.log /var/log/beat.log 2>/dev/null || true"),
    /asked by INT/,
  );
  return `${tookMs} ms`;
}

async function runOnce({ container, emulator }: Gateway): Promise<undefined> {
  const after = emulator.cursor;
  await container.sh("gwe --once");
  assert.ok(emulator.requests({ after, path: "engine_fetch" }).length > 0);
  const [pid] = await appSessions(container);
  assert.match(await container.sh(`cat /proc/${pid}/cgroup`), /gateway-engine-pm2\.service/);
  await container.sh(`systemctl start ${engineUnit}`);
  assert.equal(await runningApp(container), pid);
}

async function keepStopped({ container }: Gateway): Promise<undefined> {
  await container.sh("gwe stop beat");
  await container.reboot();
  await container.booted();
  await container.eventually(
    "the engine's view of the app",
    async () => (await appStatus(container))?.state === "STOPPED",
  );
  assert.equal((await container.try("pgrep -f run[.]sh")).status, 1);
  await container.sh("gwe start beat");
  await runningApp(container);
}

async function stopWhileCrashing({ container }: Gateway): Promise<undefined> {
  const app = await runningApp(container);
  const file = "/etc/gateway-engine/Engine.config";
  await container.sh(`cp -p ${file} /Engine.config && echo 'update_interval = never' >> ${file}`);
  await container.try(`systemctl restart ${engineUnit}`);
  await container.eventually(
    "a second start",
    async () => Number(await container.sh(`systemctl show -P NRestarts ${engineUnit}`)) >= 2,
  );
  assert.deepEqual(await appSessions(container), [app], "the app runs on");
  await container.eventually(
    "the pause before a start",
    async () => (await container.sh(`systemctl show -P SubState ${engineUnit}`)) === "stop-post\n",
  );
  await container.sh(`systemctl stop ${engineUnit}`);
  assert.equal(await leftovers(container), "");
  await container.sh(`cp -p /Engine.config ${file}`);
  await container.sh(`systemctl start ${engineUnit}`);
  await runningApp(container);
}

async function uninstall({ container }: Gateway): Promise<undefined> {
  await container.sh(`/next/${installer} --uninstall`);
  assert.equal(await leftovers(container), "");
  assert.ok(!existsSync(container.file(prefix)));
  assert.deepEqual(names(container, "/usr/local/bin"), []);
  assert.deepEqual(
    names(container, "/etc/gateway-engine").filter((name) => !name.startsWith(".")),
    ["Engine.config", "Gateway.cfg"],
  );
  assert.ok(existsSync(container.file("/var/lib/gateway-engine/gateway.db")));
  assert.equal((await container.try(`systemctl cat ${engineUnit}`)).status, 1);
  await container.sh(`/next/${installer} --now`);
  await runningApp(container);
  await container.sh(`/next/${installer} --uninstall --purge`);
  for (const directory of [prefix, "/etc/gateway-engine", "/var/lib/gateway-engine", "/run/gateway-engine"]) {
    assert.equal((await container.try(`test -e ${directory}`)).status, 1, `${directory} is still there`);
  }
}

if (process.env.GWE_SYSTEM_NETWORK === undefined) {
  process.exit(inNetworkOfItsOwn(import.meta.filename));
} else {
  await main();
}
