/**
 * The main job on a gateway that has the Debian package: `npm run test:deb [-- trixie]`, as root, after
 * `npm run release -- x64`.
 */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
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
import { beginnings, survivals, verifyUnits } from "./life.ts";

const releases = join(import.meta.dirname, "../../release");
const initScript = "/etc/init.d/gateway-engine";

const steps: Steps = [
  ["lintian finds no error in the package", lint],
  ["dpkg -i installs, with nothing from elsewhere, and starts nothing", install],
  ["systemd-analyze verify has nothing to say about the units", verifyUnits],
  ...beginnings,
  ["an upgrade restarts the engine, keeps configuration, and leaves app and pm2 alone", upgrade],
  ...survivals,
  ["a disabled engine stays disabled over an upgrade", keepDisabled],
  ["removed, it keeps configuration, state and app, and installed again it goes on", removeAndReturn],
  ["purged, nothing is left", purge],
];

/** Name, version and link of what `current` leads to. */
async function current(container: Container): Promise<string> {
  return container.sh(`readlink ${prefix}/current`);
}

async function lint(): Promise<undefined> {
  const names = readdirSync(releases).filter((name) => name.endsWith(".deb"));
  assert.ok(names.length > 0, `${releases} has no package: npm run release -- x64`);
  const { status, stdout, error } = spawnSync("lintian", ["--fail-on", "error", ...names], {
    cwd: releases,
    encoding: "utf8",
  });
  assert.equal(status, 0, error?.message ?? stdout);
}

async function install({ container }: Gateway): Promise<string> {
  const text = await container.sh("dpkg -i /release/*_amd64.deb");
  assert.match(text, /Next:/);
  assert.equal(await container.sh("dpkg --verify gateway-engine"), "");
  assert.equal(
    (await container.try(`systemctl is-active ${engineUnit} ${pm2Unit}`)).stdout,
    "inactive\ninactive\n",
  );
  assert.equal(await container.sh(`systemctl is-enabled ${engineUnit}`), "enabled\n");
  assert.equal(statSync(container.file("/etc/gateway-engine/Gateway.cfg")).mode & 0o777, 0o640);
  for (const name of ["gwe", "gdc", "gmq"]) {
    assert.equal(await container.sh(`command -v ${name}`), `/usr/local/bin/${name}\n`);
    assert.match(await container.sh(`cat /usr/local/share/man/man1/${name}.1`), /^\.TH/);
    await container.sh(`bash -n /usr/local/share/bash-completion/completions/${name}`);
  }
  // Links, not copies: what dpkg unpacked and what runs share the flash.
  const usage = await container.sh(`du -scm /usr/lib/gateway-engine ${prefix}`);
  const mb = Number(/(\d+)\ttotal/.exec(usage)?.[1]);
  assert.ok(mb < 140, usage);
  return `${mb} MiB`;
}

/** Makes a package of the next version: the same but for one file. */
async function makeNext(container: Container, revision: number): Promise<string> {
  const file = `/next-${revision}.deb`;
  await container.sh(
    `dpkg-deb -R /release/*_amd64.deb /next && cd /next && echo ${revision} >usr/lib/gateway-engine/tree/CHANGELOG.md && ` +
      `sed -i 's/^\\(Version: .*-\\)1$/\\1${revision}/' DEBIAN/control && dpkg-deb -Znone -b . ${file} && rm -r /next`,
  );
  return file;
}

async function upgrade({ container }: Gateway): Promise<undefined> {
  const app = await runningApp(container);
  const pm2 = await mainPid(container, pm2Unit);
  const engine = await mainPid(container, engineUnit);
  const configured = await container.sh("cat /etc/gateway-engine/*");
  // The operator's own changes of what is configuration to dpkg stay, without a question.
  await container.sh(`echo '# ours' >>${initScript}`);
  await container.sh(`dpkg -i ${await makeNext(container, 2)}`);
  await untilOtherEngine(container, engine);
  assert.match(
    await container.sh(`readlink /proc/${await mainPid(container, engineUnit)}/exe`),
    /-2\/runtime/,
  );
  assert.equal(await container.sh(`cat ${prefix}/current/CHANGELOG.md`), "2\n");
  assert.equal(await container.sh("cat /etc/gateway-engine/*"), configured);
  assert.match(container.read(initScript), /# ours/);
  assert.equal(await runningApp(container), app);
  assert.equal(await mainPid(container, pm2Unit), pm2);
  // pm2 goes on from the files that it was started from, though dpkg has replaced the package's.
  const from = (await container.sh(`readlink /proc/${pm2}/exe`)).trim();
  assert.ok(existsSync(container.file(from)), `${from} is gone`);
}

async function keepDisabled({ container }: Gateway): Promise<undefined> {
  await container.sh(`systemctl disable ${engineUnit}`);
  await container.sh(`dpkg -i ${await makeNext(container, 3)}`);
  assert.equal((await container.try(`systemctl is-enabled ${engineUnit}`)).stdout, "disabled\n");
  assert.equal((await container.try(`systemctl is-active ${engineUnit}`)).stdout, "inactive\n");
  await container.sh(`systemctl enable --now ${engineUnit}`);
  await runningApp(container);
  // Nothing runs from the first version any more: two are kept, the one that is current and the one before.
  assert.equal(names(container, `${prefix}/versions`).length, 2);
}

async function removeAndReturn({ container }: Gateway): Promise<undefined> {
  const cik = await container.sh("gwe -C");
  await container.sh("dpkg -r gateway-engine");
  assert.equal(await leftovers(container), "");
  assert.equal(await container.sh("find /usr/local -lname '/opt/*'"), "");
  for (const directory of [prefix, "/usr/lib/gateway-engine"]) {
    assert.ok(!existsSync(container.file(directory)), `${directory} is left`);
  }
  assert.ok(readdirSync(container.file("/var/lib/gateway-engine/apps")).includes("beat"));
  await container.sh(`dpkg -i /next-3.deb && systemctl start ${engineUnit}`);
  await runningApp(container);
  assert.equal(await container.sh("gwe -C"), cik);
  assert.notEqual(await current(container), "");
}

async function purge({ container }: Gateway): Promise<undefined> {
  await container.sh("dpkg -P gateway-engine");
  assert.equal(await leftovers(container), "");
  const left = await container.sh(
    "find / -xdev '(' -name '*gateway-engine*' -o -name gwe -o -name gmq ')' ! -path '/var/log/*' ! -path '/release/*' | sort",
  );
  assert.equal(left, "");
  assert.equal((await container.try(`systemctl cat ${engineUnit}`)).status, 1);
}

await runSteps(import.meta.filename, steps, process.argv[2] ?? "bookworm", { [releases]: "/release" });
