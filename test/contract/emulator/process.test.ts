import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DeviceSide } from "../../support/emulator-device-side.ts";
import { patienceMs } from "../../support/eventually.ts";
import { bundleProgram } from "../../support/program-bundle.ts";

const root = join(import.meta.dirname, "../../..");
const main = bundleProgram("src/emulator/main.ts");
const alias = "/onep:v1/stack/alias";

let directory: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "emulator process "));
});
afterEach(async () => {
  for (const child of children.splice(0)) await end(child, "SIGKILL");
  await rm(directory, { recursive: true, force: true });
});

interface Ready {
  readonly url: string;
  readonly token: string;
  readonly cik: string;
}

function start(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  return child;
}

async function ready(child: ChildProcess): Promise<Ready> {
  if (child.stdout) {
    for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line) as Ready;
  }
  return expect.unreachable("the emulator ended without a ready line");
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = once(child, "exit");
  child.kill(signal);
  await exited;
  return child.exitCode;
}

/** Runs to the end. */
async function run(command: string, args: readonly string[], env = process.env, cwd = root) {
  const child = spawn(command, args, { env, cwd, stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stdout, stderr };
}

async function activate({ url }: Ready, sn: string): Promise<DeviceSide> {
  const body = new URLSearchParams({ vendor: "p", model: "p", sn });
  const response = await fetch(`${url}/provision/activate`, { method: "POST", body });
  expect(response.status).toBe(200);
  return new DeviceSide(url, await response.text());
}

describe("the program", () => {
  test("token, CIK and all data are there again at the next start", async () => {
    const data = join(directory, "deep/data");
    const first = start("--data", data, "--open-activation", "--product", "extra");
    const before = await ready(first);
    const side = await activate(before, "1");
    await side.post(alias, "engine_report=kept");
    expect(await end(first, "SIGTERM")).toBe(0);
    const after = await ready(start("--data", data));
    expect([after.token, after.cik]).toEqual([before.token, before.cik]);
    const again = new DeviceSide(after.url, side.cik);
    expect(await (await again.get(`${alias}?engine_report`)).text()).toBe("engine_report=kept");
    const headers = { "X-Exosite-Token": after.token };
    const models = await fetch(`${after.url}/provision/manage/model/`, { headers });
    expect(await models.text()).toBe("extra\np\n");
    expect((await stat(join(data, "emulator.db"))).mode & 0o077).toBe(0);
  });

  test("--token is the owner's token from then on", async () => {
    const first = start("--data", directory, "--token", "chosen");
    expect((await ready(first)).token).toBe("chosen");
    await end(first, "SIGINT");
    expect((await ready(start("--data", directory))).token).toBe("chosen");
  });

  test("every answered write survives kill -9 under load", async () => {
    const child = start("--data", directory, "--open-activation");
    const before = await ready(child);
    const sides = await Promise.all(["a", "b", "c", "d"].map((sn) => activate(before, sn)));
    const acknowledged = sides.map(() => 0);
    const writers = sides.map(async (side, index) => {
      for (let n = 1; ; n++) {
        const response = await side.post(alias, `n=${n}`).catch(() => undefined);
        if (response?.status !== 204) return;
        acknowledged[index] = n;
        if (acknowledged.every((count) => count >= 25)) child.kill("SIGKILL");
      }
    });
    await Promise.all(writers);
    const after = await ready(start("--data", directory));
    for (const [index, side] of sides.entries()) {
      const text = await (await new DeviceSide(after.url, side.cik).get(`${alias}?n`)).text();
      // The one under way when the process died may be there too.
      expect(Number(text.slice(2))).toBeGreaterThanOrEqual(acknowledged[index] ?? 0);
      expect(Number(text.slice(2))).toBeLessThanOrEqual((acknowledged[index] ?? 0) + 1);
    }
  });

  test("uploaded content survives kill -9; what was under way leaves no file", async () => {
    const child = start("--data", directory, "--product", "p", "--open-activation");
    const { url, token } = await ready(child);
    const headers = { "X-Exosite-Token": token };
    const content = `${url}/provision/manage/content/p/`;
    await fetch(content, { method: "POST", headers, body: new URLSearchParams({ id: "a" }) });
    expect((await fetch(`${content}a`, { method: "POST", headers, body: "blob" })).status).toBe(205);
    await end(child, "SIGKILL");
    await writeFile(join(directory, "content", "left-over.part"), "torn");
    const after = await ready(start("--data", directory));
    const path = "/provision/manage/content/p/a?download=true";
    expect(await (await fetch(after.url + path, { headers })).text()).toBe("blob");
    await expect(stat(join(directory, "content", "left-over.part"))).rejects.toThrow("ENOENT");
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s ends it quickly, long polls or not", async (signal) => {
    const child = start("--data", directory, "--open-activation");
    const info = await ready(child);
    const side = await activate(info, "1");
    const poll = side.get(`${alias}?x`, { "Request-Timeout": "300000" }).catch(() => undefined);
    const headers = { "X-Exosite-Token": info.token };
    await expect
      .poll(async () => (await fetch(`${info.url}/_emulator/requests/open`, { headers })).text())
      .toContain("long-poll");
    const startedAt = performance.now();
    expect(await end(child, signal)).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(patienceMs);
    expect(await poll).toBeUndefined();
  });

  test("a second one on the same data directory is told so", async () => {
    await ready(start("--data", directory));
    const { status, stderr } = await run(process.execPath, [main, "--data", directory]);
    expect(status).toBe(1);
    expect(stderr).toContain("in use by another emulator");
  });

  test("a port that is taken is named", async () => {
    const { url } = await ready(start("--data", join(directory, "1")));
    const port = new URL(url).port;
    const { status, stderr } = await run(process.execPath, [
      main,
      "--port",
      port,
      "--data",
      join(directory, "2"),
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain(`port ${port}`);
  });

  test("flags bring faults from the start", async () => {
    const fault = JSON.stringify({ match: { procedure: "timestamp" }, status: 503 });
    const { url } = await ready(start("--data", directory, "--fault", fault, "--latency", "1"));
    expect((await fetch(`${url}/timestamp`)).status).toBe(503);
  });
});

describe("the command line", () => {
  test("what is not understood ends it with status 2 and a hint", async () => {
    const { status, stdout, stderr } = await run(process.execPath, [main, "--nonsense"]);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/--nonsense[\s\S]*--help/);
  });

  test("--help and --version", async () => {
    expect((await run(process.execPath, [main, "--help"])).stdout).toMatch(/^Usage: murano-emulator/);
    const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
    const source = join(root, "src/emulator/main.ts");
    expect((await run(process.execPath, [source, "-v"])).stdout).toBe(`${manifest.version}\n`);
  });
});

describe("the launcher", () => {
  let tree: string;
  const env = (path: string) => ({ ...process.env, PATH: path });
  const system = "/usr/bin:/bin";

  /** A tree with the launchers and a bundle that tells how it was called. */
  beforeEach(async () => {
    tree = join(directory, "a tree");
    for (const part of ["bin", "dist", "runtime/bin"]) await mkdir(join(tree, part), { recursive: true });
    for (const name of ["murano-emulator", "node-launcher.sh"]) {
      await copyFile(join(root, "bin", name), join(tree, "bin", name));
    }
    await writeFile(
      join(tree, "dist/murano-emulator.js"),
      "console.log(JSON.stringify([process.execPath, ...process.argv.slice(2)]))",
    );
    await writeFile(join(tree, "package.json"), "{}");
  });

  const withRuntime = () => symlink(process.execPath, join(tree, "runtime/bin/node"));

  test.each(["direct", "by symbolic link", "from its own directory", "on PATH"])(
    "passes its arguments on, called %s",
    async (how) => {
      await withRuntime();
      const link = join(directory, "linked");
      await symlink(join(tree, "bin/murano-emulator"), link);
      const args = ["a b", "", "*"];
      const calls: Record<string, () => ReturnType<typeof run>> = {
        direct: () => run(join(tree, "bin/murano-emulator"), args, env("/nowhere"), "/"),
        "by symbolic link": () => run(link, args, env(system), "/"),
        "from its own directory": () =>
          run("/bin/sh", ["murano-emulator", ...args], env("/nowhere"), join(tree, "bin")),
        "on PATH": () => run("linked", args, env(`${directory}:${system}`), "/"),
      };
      const { stdout, stderr } = (await calls[how]?.()) ?? expect.unreachable();
      expect(stderr).toBe("");
      expect(JSON.parse(stdout).slice(1)).toEqual(args);
    },
  );

  /** Stands for a system's Node of that version. */
  async function systemNode(version: string): Promise<string> {
    const bin = join(directory, "system");
    await mkdir(bin);
    const script = `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; else echo ran; fi\n`;
    await writeFile(join(bin, "node"), script);
    await chmod(join(bin, "node"), 0o755);
    return `${bin}:${system}`;
  }

  test.each([
    ["v22.12.0", true],
    ["v24.0.0", true],
    ["v22.11.9", false],
    ["v20.20.2", false],
    ["v9.9.9", false],
    ["gibberish", false],
  ])("a system Node %s: taken is %s", async (version, taken) => {
    const path = await systemNode(version);
    const { status, stdout, stderr } = await run(join(tree, "bin/murano-emulator"), [], env(path));
    if (taken) expect([status, stdout]).toEqual([0, "ran\n"]);
    else {
      expect([status, stdout]).toEqual([127, ""]);
      expect(stderr).toContain("22.12 or newer");
    }
  });

  test("no Node at all, or no bundle: says what to do", async () => {
    const bare = await run(join(tree, "bin/murano-emulator"), [], env("/nowhere"));
    expect(bare).toMatchObject({ status: 127, stdout: "" });
    expect(bare.stderr).toContain("npm ci");
    await withRuntime();
    await rm(join(tree, "dist/murano-emulator.js"));
    const unbuilt = await run(join(tree, "bin/murano-emulator"), [], env("/nowhere"));
    expect(unbuilt).toMatchObject({ status: 127 });
    expect(unbuilt.stderr).toContain("npm run build");
  });
});
