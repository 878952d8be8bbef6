/** Steps in the life of an installed gateway, however it was installed. */
import { strict as assert } from "node:assert";
import { existsSync, writeFileSync } from "node:fs";
import { packageTarball } from "../support/package-tarball.ts";
import type { Container } from "./container.ts";
import {
  appSessions,
  appStatus,
  engineUnit,
  type Gateway,
  leftovers,
  mainPid,
  pm2Unit,
  product,
  runningApp,
  type Steps,
  serial,
  untilOtherEngine,
} from "./gateway.ts";

/** Beats into its log, and says which signal it was asked to end with. */
const appScript = `#!/bin/sh
trap 'echo "asked by INT"; echo beat >>/order; exit 0' INT
trap 'echo "asked by TERM"; exit 0' TERM
echo "started $$"
while :; do
  echo "beat $$"
  sleep 0.2
done
`;
const appConf = "[supervisord]\ncommand=./run.sh\nstopsignal=INT\nautorestart=true\nstartsecs=1\n";

/** However the engine was installed: it begins to work, and is disturbed. */
export const beginnings: Steps = [
  ["configured and started, the gateway activates", activate],
  ["an app comes over the air and runs", installApp],
  ["systemctl restart leaves the app alone", restartEngine],
  ["an engine whose event loop hangs is replaced by the watchdog, the app untouched", hangEngine],
  [
    "an installer runs once, to its end, through a restart, a kill -9 and a hang of the engine",
    installerOutlives,
  ],
  ["kill -9 of the engine: back by itself, the app untouched", killEngine],
  ["kill -9 of the log daemon, of each of a launcher's processes, of the app: all there again", killParts],
];

/** After an upgrade as well. */
export const survivals: Steps = [
  ["kill -9 of pm2's daemon: the app runs again", killPm2],
  ["after a reboot, engine and app are up by themselves", reboot],
  ["systemctl stop ends everything, apps by their own signal", stopAll],
];

export async function verifyUnits({ container }: Gateway): Promise<undefined> {
  const { status, stdout, stderr } = await container.try(`systemd-analyze verify ${engineUnit} ${pm2Unit}`);
  assert.deepEqual({ status, text: stdout + stderr }, { status: 0, text: "" });
}

async function activate({ container, emulator, device }: Gateway): Promise<string> {
  await container.sh(`gwe setup --product-id ${product} --serial ${serial} --server-url ${emulator.url}`);
  await container.sh("gwe --set-update-interval 5");
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
  await shortenWatchdog(container);
  await container.sh(`systemctl restart ${engineUnit}`);
  const engine = await mainPid(container, engineUnit);
  // Fed: it lives on through several periods.
  await container.sh("sleep 7");
  assert.equal(await mainPid(container, engineUnit), engine);
  const tookMs = await untilReplacedByWatchdog(container);
  assert.equal(await runningApp(container), app);
  await restoreWatchdog(container);
  await container.sh(`systemctl restart ${engineUnit}`);
  return `another engine ${tookMs} ms after the hang, of a period of 3 s`;
}

async function shortenWatchdog(container: Container): Promise<void> {
  await container.sh("mkdir -p /run/systemd/system/gateway-engine.service.d");
  await container.sh(
    "printf '[Service]\\nWatchdogSec=3\\n' >/run/systemd/system/gateway-engine.service.d/test.conf",
  );
  await container.sh("systemctl daemon-reload");
}

async function restoreWatchdog(container: Container): Promise<void> {
  await container.sh("rm -r /run/systemd/system/gateway-engine.service.d && systemctl daemon-reload");
}

/** Has the engine hang. @returns how long it took, in milliseconds */
async function untilReplacedByWatchdog(container: Container): Promise<number> {
  const engine = await mainPid(container, engineUnit);
  const restarts = Number(await container.sh(`systemctl show -P NRestarts ${engineUnit}`));
  const began = performance.now();
  await container.sh(`kill -STOP ${engine}`);
  await untilOtherEngine(container, engine);
  const tookMs = Math.round(performance.now() - began);
  assert.equal(Number(await container.sh(`systemctl show -P NRestarts ${engineUnit}`)), restarts + 1);
  assert.match(await container.sh(`journalctl -u ${engineUnit} --no-pager`), /Watchdog timeout/);
  return tookMs;
}

/** It sleeps on a FIFO that the test holds. */
async function installerOutlives({ container, emulator, device }: Gateway): Promise<undefined> {
  const script = `#!/bin/sh
echo $$ >>/slow.runs
cat /proc/self/cgroup /proc/self/oom_score_adj
read -r word </slow.hold
echo "$word"
`;
  await container.sh("mkfifo /slow.hold");
  const blob = await packageTarball({ "install.sh": { content: script, mode: 0o755 } });
  await emulator.addContent(product, "slow.v1.0.tar.gz", blob);
  await device.write("engine_fetch", JSON.stringify({ install: [{ name: "slow.v1.0.tar.gz" }] }));
  const installer = await container.eventually("the installer", async () => {
    const pid = Number((await container.try("cat /slow.runs")).stdout);
    return pid > 0 && pid;
  });
  const isAlive = async (): Promise<boolean> => (await container.try(`kill -0 ${installer}`)).status === 0;

  const first = await mainPid(container, engineUnit);
  await container.sh(`systemctl restart ${engineUnit}`);
  await untilOtherEngine(container, first);
  assert.ok(await isAlive(), "a restart leaves it alone");
  assert.match(await container.sh("gwe status"), /slow.*installing/);

  const second = await mainPid(container, engineUnit);
  await container.sh(`kill -9 ${second}`);
  await container.eventually("the unit to be emptied", async () =>
    (await container.sh(`systemctl show -P SubState ${engineUnit}`)).includes("stop-post"),
  );
  await untilOtherEngine(container, second);
  assert.ok(await isAlive(), "a kill of the engine leaves it alone");

  await shortenWatchdog(container);
  await container.sh(`systemctl restart ${engineUnit}`);
  await untilReplacedByWatchdog(container);
  assert.ok(await isAlive(), "the watchdog's kill leaves it alone");
  await restoreWatchdog(container);

  await container.sh("echo 'let go' >/slow.hold");
  const told = await device.waitForValue("fetch_status", (text) => text.includes('"slow"'), 60_000);
  const { apps } = JSON.parse(told) as { readonly apps: readonly { status: string; output: string }[] };
  assert.equal(apps[0]?.status, "installed", told);
  assert.match(apps[0].output, /gateway-engine-installers\.slice\/run-[\w-]+\.scope\n0\nlet go\n$/);
  assert.equal(await container.sh("cat /slow.runs"), `${installer}\n`);
  assert.equal(await container.sh("ls /var/lib/gateway-engine/scripts"), "");
  // Once more, to have the watchdog's own period in force.
  await container.sh(`systemctl restart ${engineUnit}`);
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

/** Each is killed while all else runs; afterwards the app runs once, and what it writes reaches its log. */
async function killParts({ container }: Gateway): Promise<string> {
  const logDaemon = (): Promise<readonly number[]> => pids(container, "pgrep -f logd[.]mjs");
  const launcher = (): Promise<readonly number[]> =>
    pids(container, "cut -d : -f 1 /run/gateway-engine/apps/beat/launcher");
  // It tells the launcher of pm2's end, and comes with each new launcher. The app is a child beside it.
  const watcher = async (): Promise<readonly number[]> =>
    pids(container, `pgrep -P ${(await launcher())[0]} -f launcher[.]sh`);
  const parts = { logDaemon, watcher, launcher, app: async () => [await runningApp(container)] };
  const tookMs: Record<string, number> = {};
  for (const [name, find] of Object.entries(parts)) {
    const [victim, ...more] = await find();
    assert.ok(victim !== undefined && more.length === 0, `one ${name}: ${victim} ${more.join(" ")}`);
    const engine = await mainPid(container, engineUnit);
    const pm2 = await mainPid(container, pm2Unit);
    const former = await runningApp(container);
    const began = performance.now();
    await container.sh(`kill -9 ${victim}`);
    // Without its launcher it would be an app that nobody supervises: it is started anew.
    const isStartedAnew = name === "launcher" || name === "app";
    const app = await container.eventually(`what follows the ${name}`, async () => {
      const sessions = await appSessions(container);
      assert.ok(sessions.length <= 1, `the app runs ${sessions.length} times`);
      const [successor] = name === "watcher" ? await launcher() : await find();
      const isThere = successor !== undefined && successor !== victim;
      return isThere && (sessions[0] !== former) === isStartedAnew && sessions[0];
    });
    await container.eventually("the app to run", async () => (await runningApp(container)) === app);
    tookMs[name] = Math.round(performance.now() - began);
    const beats = async (): Promise<number> =>
      Number(await container.sh(`cat /var/log/beat*.log | grep -cx 'beat ${app}'`));
    const before = await beats();
    await container.eventually(`the log to go on after the ${name}`, async () => (await beats()) > before);
    assert.equal((await logDaemon()).length, 1);
    assert.equal(await mainPid(container, engineUnit), engine);
    assert.equal(await mainPid(container, pm2Unit), pm2);
  }
  const foreign = "grep -hvxE 'started [0-9]+|beat [0-9]+|asked by (INT|TERM)' /var/log/beat*.log";
  assert.equal((await container.try(foreign)).stdout, "", "every line is whole");
  return Object.entries(tookMs)
    .map(([name, ms]) => `${name} ${ms} ms`)
    .join(", ");
}

async function pids(container: Container, command: string): Promise<readonly number[]> {
  const { stdout } = await container.try(command);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
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

export async function runOnce({ container, emulator }: Gateway): Promise<undefined> {
  const after = emulator.cursor;
  await container.sh("gwe --once");
  assert.ok(emulator.requests({ after, path: "engine_fetch" }).length > 0);
  const [pid] = await appSessions(container);
  assert.match(await container.sh(`cat /proc/${pid}/cgroup`), /gateway-engine-pm2\.service/);
  await container.sh(`systemctl start ${engineUnit}`);
  assert.equal(await runningApp(container), pid);
}

export async function keepStopped({ container }: Gateway): Promise<undefined> {
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

export async function stopWhileCrashing({ container }: Gateway): Promise<undefined> {
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
