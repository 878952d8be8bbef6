/**
 * The release archive on a bare Debian without Node: install.sh with a vendor's application and commands, in a chroot
 * and booted. `npm run test:release`, as root, after `npm run release -- x64`.
 */
import { strict as assert } from "node:assert";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { extract } from "tar";
import { startTestEmulator } from "../support/emulator.ts";
import { packageTarball } from "../support/package-tarball.ts";
import { Container, network, prepareNetwork } from "./container.ts";
import { inNetworkOfItsOwn } from "./run-alone.ts";

const releases = join(import.meta.dirname, "../../release");
const app = {
  "supervisor.conf": { content: "[supervisord]\ncommand=sleep 86400\n" },
  "install.sh": { content: "#!/bin/sh\necho installed\n", mode: 0o755 },
};

function archive(prefix: string): string {
  const name = readdirSync(releases).find((file) => file.startsWith(prefix) && file.endsWith("-x64.tar.gz"));
  assert.ok(name !== undefined, `${releases} has no ${prefix}…: npm run release -- x64`);
  return join(releases, name);
}

async function unpack(container: Container, file: string, inside: string): Promise<string> {
  mkdirSync(container.file(inside));
  await extract({ file, cwd: container.file(inside) });
  return `${inside}/gateway-engine`;
}

async function main(): Promise<void> {
  prepareNetwork();
  await using emulator = await startTestEmulator({ host: network.host });
  await emulator.addSerial("release-test", "gateway-1");
  await using container = new Container(process.argv[2] ?? "bookworm");
  const there = await unpack(container, archive("GatewayEngine.v"), "/release");
  const update = await unpack(container, archive("GatewayEngine-update.v"), "/update");
  writeFileSync(container.file(`${there}/apps_to_install/vendor.v1.0.tar.gz`), await packageTarball(app));
  writeFileSync(container.file(`${there}/init/post_install_commands.sh`), "touch /vendor-was-here\n");

  assert.match(container.chroot(`${update}/install.sh`, 1), /take the whole release/);
  const damaged = container.file("/damaged");
  cpSync(container.file(there), damaged, { recursive: true });
  writeFileSync(join(damaged, "tree/bin/gwe"), "#!/bin/sh\n");
  assert.match(container.chroot("/damaged/install.sh", 1), /is damaged/);
  rmSync(damaged, { recursive: true });
  assert.ok(!existsSync(container.file("/opt/gateway-engine")), "what is refused changes nothing");
  console.log("ok    a damaged release, and an update without an engine, are refused and change nothing");

  assert.match(container.chroot(`${there}/install.sh`, 0), /gwe setup --start/);
  assert.ok(existsSync(container.file("/vendor-was-here")));
  const log = readdirSync(container.file(there)).find((name) => /^gwe_install_\d{8}_\d{6}\.log$/.test(name));
  assert.ok(log !== undefined);
  assert.match(readFileSync(container.file(`${there}/${log}`), "utf8"), /vendor\.v1\.0/);
  console.log("ok    install.sh in a chroot, without a network or a Node");

  container.boot({});
  await container.booted();
  await container.sh(`gwe setup -P release-test -s gateway-1 --server-url ${emulator.url} --start`);
  await container.sh("systemctl start gateway-engine-apps");
  const pid = await runningApp(container);
  assert.ok(!existsSync(container.file("/var/lib/gateway-engine/apps_to_install")));
  assert.ok(emulator.requests({ path: "activate" }).length > 0);
  console.log("ok    booted: the vendor's app runs, the gateway activates");

  // The same version: another file, to have something to install.
  await container.sh(
    `cd ${update} && echo x >>tree/README.md && sum=$(sha256sum tree/README.md) && ` +
      `sed -i "s|.*  tree/README.md|$sum|" SHA256SUMS`,
  );
  const engine = await container.sh("systemctl show -P MainPID gateway-engine");
  await container.sh(`${update}/install.sh --now`);
  assert.notEqual(await container.sh("systemctl show -P MainPID gateway-engine"), engine);
  assert.equal(await runningApp(container), pid);
  assert.match(await container.sh("readlink /opt/gateway-engine/current"), /-2\n$/);
  const bytes = Number((await container.sh("du -sb /opt/gateway-engine/versions")).split("\t")[0]);
  console.log(`ok    the update package upgrades, the app running on: both versions take ${bytes / 1e6} MB`);

  await container.sh(`${there}/uninstall.sh --purge`);
  for (const place of ["/opt/gateway-engine", "/etc/gateway-engine", "/var/lib/gateway-engine"]) {
    assert.ok(!existsSync(container.file(place)), `${place} is left`);
  }
  console.log("ok    uninstall.sh --purge leaves nothing\n5 passed, 0 failed");
}

function runningApp(container: Container): Promise<number> {
  return container.eventually("the vendor's app", async () => {
    const { stdout } = await container.try("gwe status --json");
    if (stdout === "") return undefined;
    const { apps } = JSON.parse(stdout) as {
      readonly apps: readonly { readonly name: string; readonly state: string; readonly pid?: number }[];
    };
    return apps.find(({ name, state }) => name === "vendor" && state === "RUNNING")?.pid;
  });
}

if (process.env.GWE_SYSTEM_NETWORK === undefined) process.exit(inNetworkOfItsOwn(import.meta.filename));
else await main();
