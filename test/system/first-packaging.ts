/**
 * The main job on an installed gateway: a Debian with a real systemd, the engine installed by packaging/install.sh, a
 * Murano beside it. `npm run test:system [-- trixie]`, as root; test/README.md says what it needs.
 */
import { strict as assert } from "node:assert";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Container, names } from "./container.ts";
import {
  engineUnit,
  type Gateway,
  leftovers,
  mainPid,
  pm2Unit,
  prefix,
  runningApp,
  runSteps,
  type Steps,
  untilOtherEngine,
} from "./gateway.ts";
import { beginnings, keepStopped, runOnce, stopWhileCrashing, survivals, verifyUnits } from "./life.ts";

const checkout = join(import.meta.dirname, "../..");
const installer = "packaging/install.sh";

const steps: Steps = [
  ["install.sh installs from a checkout and starts nothing", install],
  ["systemd-analyze verify has nothing to say about the units", verifyUnits],
  ["run again, install.sh changes nothing", installAgain],
  ...beginnings,
  ["an upgrade keeps configuration and app", upgrade],
  ...survivals,
  ["gwe --once in a shell has its apps run by the same unit", runOnce],
  ["an app stopped by its operator stays so over a reboot", keepStopped],
  ["systemctl stop of an engine that crashes again and again ends everything", stopWhileCrashing],
  ["--uninstall keeps configuration and state, --purge does not", uninstall],
];

async function install({ container }: Gateway): Promise<string> {
  const text = await container.sh(`/checkout/${installer}`);
  assert.match(text, /gwe setup --start/);
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

await runSteps(import.meta.filename, steps, process.argv[2] ?? "bookworm", { [checkout]: "/checkout" });
