/** A Debian of its own with a real systemd, booted in a container on a network that leads nowhere else. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { OwnCgroup } from "./own-cgroup.ts";

const cache = process.env.GWE_SYSTEM_CACHE ?? "/var/tmp/gwe-system-cache";
/** A root's init, and the packages that come with it. */
const packagesOf = {
  systemd: { include: ["systemd", "systemd-sysv", "dbus", "iproute2", "procps"], exclude: [] },
  // BusyBox comes along, to be init in its place.
  sysvinit: {
    include: ["sysvinit-core", "iproute2", "procps", "busybox-static"],
    exclude: ["--exclude=systemd,systemd-sysv"],
  },
} as const;
type Init = keyof typeof packagesOf;
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Addresses of the two ends; no route leads out of the test's network namespace. */
export const network = { host: "10.77.0.1", container: "10.77.0.2", bridge: "br-gwe" } as const;

class ContainerError extends Error {
  override readonly name = "ContainerError";
}

/** Runs a program of this machine. @returns its output @throws ContainerError when it fails */
function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status === 0) return stdout;
  throw new ContainerError(
    `${command} ${args.join(" ")}: ${error?.message ?? `status ${status}`}\n${stderr}`,
  );
}

/** This process' network namespace gets a bridge for containers; call it in a namespace of the test's own. */
export function prepareNetwork(): void {
  run("ip", "link", "set", "lo", "up");
  run("ip", "link", "add", network.bridge, "type", "bridge");
  run("ip", "address", "add", `${network.host}/24`, "dev", network.bridge);
  run("ip", "link", "set", network.bridge, "up");
}

/**
 * The untouched root, made once: half a minute and 250 MB. To be called once where there is a network.
 * @param more Debian packages beside those that every system has
 */
export function debianRoot(suite: string, more: readonly string[], init: Init = "systemd"): string {
  const root = join(cache, [suite, ...(init === "systemd" ? [] : [init]), ...more].join("-"));
  if (existsSync(join(root, "sbin/init"))) return root;
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(join(cache, `.${suite}-`));
  // Other users than root have to get in.
  chmodSync(unfinished, 0o755);
  const { include, exclude } = packagesOf[init];
  const wanted = `--include=${[...include, ...more].join(",")}`;
  run("debootstrap", "--variant=minbase", wanted, ...exclude, suite, unfinished);
  rmSync(root, { recursive: true, force: true });
  renameSync(unfinished, root);
  return root;
}

/** The release of Debian that a test's command line names; 12 by default. */
export function suiteOf(argv: readonly string[]): string {
  return argv.slice(2).find((word) => !word.startsWith("-")) ?? "bookworm";
}

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Container implements AsyncDisposable {
  readonly directory = mkdtempSync("/var/tmp/gwe-system-");
  private readonly root = join(this.directory, "root");
  private readonly cgroup = new OwnCgroup(basename(this.directory));
  private nspawn: ChildProcess | undefined;
  private console = "";

  /** @param more Debian packages beside those that every system has */
  constructor(suite: string, more: readonly string[] = [], init: Init = "systemd") {
    run("cp", "-a", "--reflink=auto", debianRoot(suite, more, init), this.root);
    // First boot: an identity of its own.
    writeFileSync(this.file("/etc/machine-id"), "");
    writeFileSync(this.file("/etc/hostname"), "gateway\n");
    mkdirSync(this.file("/etc/systemd/network"), { recursive: true });
    writeFileSync(
      this.file("/etc/systemd/network/10-host0.network"),
      `[Match]\nName=host0\n[Network]\nAddress=${network.container}/24\nLinkLocalAddressing=no\n`,
    );
    if (init !== "systemd") return;
    const wants = this.file("/etc/systemd/system/multi-user.target.wants");
    mkdirSync(wants, { recursive: true });
    symlinkSync("/lib/systemd/system/systemd-networkd.service", join(wants, "systemd-networkd.service"));
  }

  /** A path in the container as one of this machine. */
  file(inside: string): string {
    return join(this.root, inside);
  }

  read(inside: string): string {
    return readFileSync(this.file(inside), "utf8");
  }

  copyIn(from: string, inside: string): void {
    cpSync(from, this.file(inside), { recursive: true, verbatimSymlinks: true });
  }

  /** Runs a shell command in the root before it is booted. @returns all its output */
  chroot(command: string, expectedStatus: number): string {
    const { status, stdout, stderr } = spawnSync(
      "unshare",
      [
        "--mount",
        "--fork",
        "--pid",
        `--root=${this.root}`,
        "/bin/sh",
        "-c",
        `mount -t proc proc /proc; ${command}`,
      ],
      { encoding: "utf8", env: { PATH: path } },
    );
    if (status === expectedStatus) return stdout + stderr;
    throw new ContainerError(`in the root: ${command}: status ${status}\n${stdout}${stderr}`);
  }

  /** Powers it on. @param readOnly directory of this machine → where it is seen inside */
  boot(readOnly: Readonly<Record<string, string>>): void {
    const binds = Object.entries(readOnly).map(([from, inside]) => `--bind-ro=${from}:${inside}`);
    const [command = "", ...args] = this.cgroup.entering([
      ...["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--console=pipe"],
      ...["--private-network", `--network-bridge=${network.bridge}`],
      ...["-M", basename(this.directory), "-D", this.root, ...binds],
    ]);
    this.nspawn = spawn(command, args, {
      env: { PATH: path, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    // With --keep-unit nspawn asks for its own restart by this status when the container reboots.
    this.nspawn.once("exit", (status) => {
      if (status === 133) this.boot(readOnly);
    });
    const collect = (chunk: Buffer): void => {
      this.console += chunk.toString("latin1");
    };
    this.nspawn.stdout?.on("data", collect);
    this.nspawn.stderr?.on("data", collect);
  }

  /** Resolves when the container's systemd has started all there is. */
  async booted(): Promise<void> {
    await this.eventually("the container to boot", async () => {
      const { stdout } = await this.try("systemctl is-system-running");
      return ["running", "degraded"].includes(stdout.trim());
    });
  }

  /** Runs a shell command inside. @throws ContainerError when it fails */
  async sh(command: string): Promise<string> {
    const { status, stdout, stderr } = await this.try(command);
    if (status === 0) return stdout;
    throw new ContainerError(`in the container: ${command}: status ${status}\n${stdout}${stderr}`);
  }

  /** Not synchronous: the Murano that the container speaks to is in this process. */
  async try(command: string): Promise<Outcome> {
    const init = this.init();
    if (init === undefined) return { status: -1, stdout: "", stderr: "not booted" };
    const enter = ["-t", String(init), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--"];
    const shell = ["/usr/bin/env", "-i", `PATH=${path}`, "LANG=C.UTF-8", "sh", "-c", command];
    const child = spawn("nsenter", [...enter, ...shell], { stdio: ["ignore", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] += text;
      });
    }
    const [status] = (await once(child, "close")) as [number | null];
    return { status: status ?? -1, ...output };
  }

  /** The container's first process: the child of nspawn that has a pid namespace of its own. */
  private init(): number | undefined {
    const pid = this.nspawn?.pid;
    if (pid === undefined || this.nspawn?.exitCode !== null) return undefined;
    const own = readlinkSync("/proc/self/ns/pid");
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .split(" ")
      .filter((child) => child !== "")
      .map(Number)
      .find((child) => {
        const namespace = pidNamespace(child);
        return namespace !== undefined && namespace !== own;
      });
  }

  /** Reboots as `reboot` at a shell does. Returns when the new boot has begun. */
  async reboot(): Promise<void> {
    const before = this.init();
    await this.sh("systemctl reboot");
    await this.eventually("the container to come up again", () => {
      const init = this.init();
      return init !== undefined && init !== before;
    });
  }

  /** Ends it as a power cut does. It can be booted again. */
  async cutPower(): Promise<void> {
    const { nspawn } = this;
    const init = this.init();
    if (nspawn === undefined || init === undefined) return;
    const ended = once(nspawn, "exit");
    process.kill(init, "SIGKILL");
    await ended;
  }

  async eventually<T>(
    what: string,
    ask: () => Promise<T | undefined | false> | T | undefined | false,
    deadlineMs = 60_000,
  ): Promise<T> {
    const deadline = performance.now() + deadlineMs;
    for (;;) {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      if (performance.now() > deadline) throw new ContainerError(`gave up waiting for ${what}`);
      await delay(50);
    }
  }

  /** What helps to see why a test failed. */
  async diagnosis(): Promise<string> {
    const { stdout } = await this.try("journalctl --no-pager -n 80 -o short-monotonic; ps ax");
    return `${this.console.slice(-2000)}\n${stdout}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { nspawn } = this;
    if (nspawn !== undefined && nspawn.exitCode === null && nspawn.signalCode === null) {
      const ended = new Promise((resolve) => nspawn.once("exit", resolve));
      // nspawn's SIGTERM powers the container off in good order; a container that does not is ended.
      nspawn.kill("SIGTERM");
      const timer = setTimeout(() => {
        const init = this.init();
        if (init !== undefined) process.kill(init, "SIGKILL");
      }, 20_000);
      await ended;
      clearTimeout(timer);
    }
    await this.eventually("its control group to be empty", () => this.cgroup.isRemoved(), 10_000);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Undefined for a process that has ended meanwhile. */
function pidNamespace(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

/** Names in a directory of the container. */
export function names(container: Container, inside: string): readonly string[] {
  return readdirSync(container.file(inside)).sort();
}
