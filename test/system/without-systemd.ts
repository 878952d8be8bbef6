/**
 * The engine where no systemd is: a Debian with sysvinit, and one that BusyBox runs from its init to its shell. The
 * release archive's install.sh, boots, crashes, stop and removal. `npm run test:init [-- sysvinit|BusyBox] [trixie]`, as root,
 * after `npm run release -- x64`.
 */
import { strict as assert } from "node:assert";
import { chmodSync, existsSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { extract } from "tar";
import { startTestEmulator, type TestEmulator } from "../support/emulator.ts";
import { packageTarball } from "../support/package-tarball.ts";
import { Container, network, prepareNetwork } from "./container.ts";
import { prefix, product, serial } from "./gateway.ts";
import { inNetworkOfItsOwn } from "./run-alone.ts";

const releases = join(import.meta.dirname, "../../release");
const app = {
  "supervisor.conf": {
    content: "[supervisord]\ncommand=./run.sh\nstopsignal=INT\nautorestart=true\nstartsecs=1\n",
  },
  "install.sh": { content: "#!/bin/sh\necho installed\n", mode: 0o755 },
  "run.sh": {
    content: "#!/bin/sh\ntrap 'echo asked by INT; exit 0' INT\nwhile :; do sleep 0.2; done\n",
    mode: 0o755,
  },
};

interface Init {
  readonly name: string;
  readonly script: string;
  /** Makes it the root's init. */
  readonly prepare: (container: Container) => void;
}

/** As a usual BusyBox system has it: an inittab of three lines, and rcS and rcK, which go through /etc/init.d/S??*. */
function prepareBusyBox(container: Container): void {
  const place = (path: string, text: string): void => {
    // Debian's own rcS is an absolute link: followed here, it would lead out of the root.
    rmSync(container.file(path), { force: true });
    writeFileSync(container.file(path), text);
    chmodSync(container.file(path), 0o755);
  };
  for (const program of ["/sbin/init", "/bin/sh"]) {
    rmSync(container.file(program));
    symlinkSync("/bin/busybox", container.file(program));
  }
  rmSync(container.file("/usr/sbin/update-rc.d"));
  place("/etc/inittab", "::sysinit:/etc/init.d/rcS\n::shutdown:/etc/init.d/rcK\n::ctrlaltdel:/sbin/reboot\n");
  place("/etc/init.d/rcS", '#!/bin/sh\nfor i in /etc/init.d/S??*; do [ ! -x "$i" ] || "$i" start; done\n');
  place("/etc/init.d/rcK", '#!/bin/sh\nfor i in /etc/init.d/S??*; do [ ! -x "$i" ] || "$i" stop; done\n');
}

const inits: readonly Init[] = [
  { name: "sysvinit", script: "/etc/init.d/gateway-engine", prepare: () => undefined },
  { name: "BusyBox", script: "/etc/init.d/S90gateway-engine", prepare: prepareBusyBox },
];

const words = process.argv.slice(2);
const chosen = inits.filter(({ name }) => words.includes(name));
const suite = words.find((word) => inits.every(({ name }) => name !== word)) ?? "bookworm";

async function live(init: Init, emulator: TestEmulator): Promise<void> {
  await using container = new Container(suite, [], "sysvinit");
  try {
    await goThrough(init, container, emulator);
  } catch (error) {
    console.log(`FAIL  ${init.name}`);
    console.log(
      (
        await container.try(
          "ps ax; ls -l /run/gateway-engine /etc/init.d; tail -n 40 /var/log/gwe.log /run/gateway-engine/last-words",
        )
      ).stdout,
    );
    throw error;
  } finally {
    // Such an init knows nothing of nspawn's way to power off.
    await container.cutPower();
  }
}

async function goThrough(
  { name, script, prepare }: Init,
  container: Container,
  emulator: TestEmulator,
): Promise<void> {
  const said = (what: string): void => console.log(`ok    ${name}: ${what}`);
  prepare(container);
  const archive = readdirSync(releases).find((file) => /^GatewayEngine\.v.*-x64\.tar\.gz$/.test(file));
  assert.ok(archive !== undefined, `${releases} has no archive: npm run release -- x64`);
  await extract({ file: join(releases, archive), cwd: container.file("/") });
  writeFileSync(
    container.file("/gateway-engine/apps_to_install/beat.v1.0.tar.gz"),
    await packageTarball(app),
  );

  assert.match(container.chroot("/gateway-engine/install.sh", 0), /gwe setup/);
  container.chroot(`gwe --set-product-id ${product} --set-uuid ${serial} --set-update-interval 5`, 0);
  container.chroot(
    `sed -i 's|^# server_url = .*|server_url = ${emulator.url}|' /etc/gateway-engine/Gateway.cfg`,
    0,
  );
  await boot(container);
  const app1 = await appPid(container);
  await container.eventually("a check-in", () => emulator.requests({ path: "engine_fetch" }).length > 0);
  assert.match(await container.sh(`${script} status`), /^gateway-engine runs \(pid \d+\)\n$/);
  said("installed in a chroot, booted: the gateway checks in and the vendor's app runs");

  const engine1 = await enginePid(container, script);
  await container.sh(`${script} start`);
  assert.equal(await enginePid(container, script), engine1, "a second start starts nothing");
  await container.sh(`kill -9 ${engine1}`);
  const engine2 = await otherEngine(container, script, engine1);
  await container.sh(`${script} restart`);
  const engine3 = await otherEngine(container, script, engine2);
  await container.sh(
    "k=$(cat /run/gateway-engine/keeper.pid); kill -9 $k; while kill -0 $k; do sleep 0.1; done",
  );
  await container.sh(`${script} start`);
  await otherEngine(container, script, engine3);
  assert.equal(await appPid(container), app1);
  said("the engine is back after kill -9, restart, and the end of its keeper, the app untouched");

  await container.sh("echo 'update_interval = never' >>/etc/gateway-engine/Engine.config");
  await container.sh(`${script} restart`);
  const sick = await container.eventually("an engine that does not stay up", async () => {
    const { status, stdout } = await container.try(`${script} status`);
    return status === 1 && stdout.includes("update_interval") && stdout;
  });
  assert.match(sick, /tried again every 3 s/);
  await container.sh("sed -i '/never/d' /etc/gateway-engine/Engine.config");
  await otherEngine(container, script, -1);
  said("a broken configuration is shown by status, and the mended one taken up");

  await container.sh(`${script} stop`);
  assert.equal(await leftovers(container), "");
  assert.match(await container.sh("cat /var/log/beat*.log"), /asked by INT/);
  assert.equal((await container.try(`${script} status`)).status, 3);
  await container.sh(`${script} start`);
  await appPid(container);
  said("stop ends everything, the app by its own signal; start has all again");

  await container.cutPower();
  await boot(container);
  await appPid(container);
  said("after a power cut, engine and app are up by themselves");

  await container.sh("/gateway-engine/uninstall.sh --purge");
  assert.equal(await leftovers(container), "");
  for (const place of [prefix, "/etc/gateway-engine", "/var/lib/gateway-engine", script]) {
    assert.ok(!existsSync(container.file(place)), `${place} is left`);
  }
  assert.equal(await container.sh("find /etc/rc?.d -name '*gateway*'"), "");
  said("uninstall.sh --purge leaves nothing");
}

async function boot(container: Container): Promise<void> {
  container.boot({});
  // Nobody configures the network here.
  await container.eventually("the network", async () => {
    const set = `ip address replace ${network.container}/24 dev host0 && ip link set host0 up && ip link set lo up`;
    return (await container.try(set)).status === 0;
  });
}

function appPid(container: Container): Promise<number> {
  return container.eventually("the app", async () => {
    const { status, stdout } = await container.try("gwe status --json");
    if (status !== 0) return undefined;
    const { apps } = JSON.parse(stdout) as {
      readonly apps: readonly { readonly name: string; readonly state: string; readonly pid?: number }[];
    };
    return apps.find(({ name, state }) => name === "beat" && state === "RUNNING")?.pid;
  });
}

async function enginePid(container: Container, script: string): Promise<number> {
  const { stdout } = await container.try(`${script} status`);
  return Number(/pid (\d+)/.exec(stdout)?.[1] ?? 0);
}

/** Resolves when an engine other than `former` answers. */
function otherEngine(container: Container, script: string, former: number): Promise<number> {
  return container.eventually("another engine", async () => {
    const pid = await enginePid(container, script);
    return pid !== 0 && pid !== former && (await container.try("gwe status")).status === 0 && pid;
  });
}

function leftovers(container: Container): Promise<string> {
  return container.sh(
    `for p in /proc/[0-9]*; do case $(readlink $p/exe) in ${prefix}/*) echo $p;; esac; done; ` +
      // Not what has ended and which an init has not come round to reap.
      "ps -eo stat=,pid=,args= | grep -E 'launcher[.]sh|run[.]sh|gwe-pm[2]|gateway-engine kee[p]' | grep -v ^Z || true",
  );
}

async function main(): Promise<void> {
  prepareNetwork();
  const wanted = chosen.length > 0 ? chosen : inits;
  for (const init of wanted) {
    await using emulator = await startTestEmulator({ host: network.host });
    await emulator.addSerial(product, serial);
    await live(init, emulator);
  }
  console.log(`${wanted.length * 6} passed, 0 failed`);
}

if (process.env.GWE_SYSTEM_NETWORK === undefined)
  process.exit(inNetworkOfItsOwn(import.meta.filename, [suite, [], "sysvinit"]));
else await main();
