import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import packageJson from "../../../package.json" with { type: "json" };
import { gweHome } from "../../support/gwe-home.ts";
import { repositoryRoot, runCommand } from "../../support/run-command.ts";

const cik = "3803226073f6f2feb51a9010bd1d3e53143214a7";
const oneLine = /^gwe: [^\n]+\n$/;

describe("gwe --gateway-cik", () => {
  it.each(["-C", "--gateway-cik"])("%s prints two quotes before activation, the CIK after", async (flag) => {
    using home = gweHome();
    expect(await runCommand("gwe", [flag], home)).toMatchObject({ status: 0, stdout: "''\n", stderr: "" });
    home.gatewayCfg("[device]\ncik = ''\n");
    expect(await runCommand("gwe", [flag], home)).toMatchObject({ status: 0, stdout: "''\n" });
    home.gatewayCfg(`; by hand\n[device]\nCIK: ${cik}\n`);
    expect(await runCommand("gwe", [flag], home)).toMatchObject({
      status: 0,
      stdout: `${cik}\n`,
      stderr: "",
    });
  });

  it("does not take a mangled CIK for none, and does not show it", async () => {
    using home = gweHome();
    home.gatewayCfg(`[device]\ncik = ${cik}x\n`);
    const result = await runCommand("gwe", ["-C"], home);
    expect(result).toMatchObject({ status: 255, stdout: "" });
    expect(result.stderr).toMatch(oneLine);
    expect(result.stderr).toContain("40 letters and digits");
    expect(result.stderr).not.toContain(cik);
  });

  it("says which group may read it", async () => {
    using home = gweHome();
    home.gatewayCfg(`[device]\ncik = ${cik}\n`);
    const root = process.getuid?.() === 0;
    chmodSync(home.home, 0o755);
    if (!root) chmodSync(home.paths.gatewayCfg, 0);
    const result = await runCommand("gwe", ["-C"], { home: home.home, ...(root ? { uid: 65_534 } : {}) });
    expect(result).toMatchObject({ status: 4, stdout: "" });
    expect(result.stderr).toMatch(oneLine);
    expect(result.stderr).toContain("a member of the group gateway-engine");
  });
});

describe("output that cannot be written", () => {
  it.each(["-C", "-h"])("is told in one line (gwe %s)", async (option) => {
    using home = gweHome();
    await runCommand("gwe", ["-c", cik], home);
    const script = 'exec "$0" "$1" >/dev/full';
    const gwe = join(repositoryRoot, "bin/gwe");
    const result = await runCommand("/bin/sh", ["-c", script, gwe, option], home);
    expect(result.status).toBe(1);
    expect(result.stderr).toBe("gwe: cannot write the output (ENOSPC)\n");
  });
});

describe("gwe's setters", () => {
  it("configure a fresh gateway in one call, and print what came of it", async () => {
    using home = gweHome();
    const result = await runCommand(
      "gwe",
      ["--set-product-id", "dubhxzv0r4e1m7vj", "--set-iface", "nosuch0"],
      home,
    );
    expect(result.status).toBe(0);
    expect(result.stdout).toBe(
      "[device]\ncik = ''\nmodel = dubhxzv0r4e1m7vj\nvendor = dubhxzv0r4e1m7vj\nuuid = ''\niface = nosuch0\n",
    );
    expect(result.stderr).toMatch(/warning: the network interface nosuch0 does not exist; usable here: /);
    expect(readFileSync(home.paths.gatewayCfg, "utf8")).toBe(result.stdout);
    expect((statSync(home.paths.gatewayCfg).mode & 0o777).toString(8)).toBe("640");
  });

  it("set every key of both files, and keep comments, unknown keys and order", async () => {
    using home = gweHome();
    home.gatewayCfg(`# mine\n[device]\nvendor = old ; why\ncolour = blue\ncik = ${cik}\n\n[extra]\nx = 1\n`);
    home.engineConfig("[engine]\n; check often\nupdate_interval = 5\n");
    const argv = "-m m1 -r v1 -u 12345 -i wlan0 -l 30 -t 60 -a my/agent".split(" ");
    const result = await runCommand("gwe", argv, home);
    expect(result.status).toBe(0);
    expect(readFileSync(home.paths.gatewayCfg, "utf8")).toBe(
      `# mine\n[device]\nvendor = v1 ; why\ncolour = blue\ncik = ${cik}\nmodel = m1\nuuid = 12345\niface = wlan0\n` +
        "activation_retry_interval = 30\n\n[extra]\nx = 1\n",
    );
    expect(readFileSync(home.paths.engineConfig, "utf8")).toBe(
      "[engine]\n; check often\nupdate_interval = 60\nuser_agent = my/agent\n",
    );
    expect(result.stdout).toContain("cik = [redacted]\n");
    expect(result.stdout + result.stderr).not.toContain(cik);
  });

  it.each(["", "''"])("%j clears a value", async (empty) => {
    using home = gweHome();
    home.gatewayCfg("[device]\nuuid = 12345\n");
    home.engineConfig("[engine]\nuser_agent = mine\n");
    expect(await runCommand("gwe", ["-u", empty, "-a", empty], home)).toMatchObject({ status: 0 });
    expect(readFileSync(home.paths.gatewayCfg, "utf8")).toContain("uuid = ''\n");
    expect(readFileSync(home.paths.engineConfig, "utf8")).toBe("[engine]\nuser_agent = ''\n");
  });

  it("change nothing when one value is invalid, and name all that are", async () => {
    using home = gweHome();
    const result = await runCommand("gwe", ["-P", "abc", "-t", "0", "-l", "soon", "-c", `${cik}x`], home);
    expect(result).toMatchObject({ status: 255, stdout: "" });
    expect(result.stderr).toMatch(oneLine);
    expect(result.stderr).toContain('update_interval = "0": expected a whole number of seconds from 1');
    expect(result.stderr).toContain('activation_retry_interval = "soon"');
    expect(result.stderr).not.toContain(cik);
    expect(existsSync(home.paths.gatewayCfg)).toBe(false);
  });

  it("take the CIK from stdin, so that it is on no command line", async () => {
    using home = gweHome();
    const result = await runCommand("gwe", ["--set-cik", "-"], { home: home.home, input: `${cik}\n` });
    expect(result).toMatchObject({ status: 0 });
    expect(result.stdout).not.toContain(cik);
    expect((await runCommand("gwe", ["-C"], home)).stdout).toBe(`${cik}\n`);
  });

  it("keep the CIK when the pipe that was to bring one brings nothing", async () => {
    using home = gweHome();
    await runCommand("gwe", ["-c", cik], home);
    for (const input of ["", "\n"]) {
      const result = await runCommand("gwe", ["-c", "-"], { home: home.home, input });
      expect(result).toMatchObject({ status: 2, stdout: "" });
      expect(result.stderr).toMatch(oneLine);
    }
    expect((await runCommand("gwe", ["-C"], home)).stdout).toBe(`${cik}\n`);
  });

  it("-d alone is kept; beside another option it holds for that run only", async () => {
    using home = gweHome();
    expect((await runCommand("gwe", ["-d", "DEBUG"], home)).stdout).toBe("[engine]\ndebug_level = DEBUG\n");
    await runCommand("gwe", ["-d", "ERROR", "-t", "60"], home);
    expect(readFileSync(home.paths.engineConfig, "utf8")).toBe(
      "[engine]\ndebug_level = DEBUG\nupdate_interval = 60\n",
    );
    const wrong = await runCommand("gwe", ["-d", "loud", "-t", "70"], home);
    expect(wrong).toMatchObject({ status: 2 });
    expect(wrong.stderr).toContain("DEBUG, INFO, WARNING, ERROR, CRITICAL");
  });

  it("at the same time lose none of the changes", async () => {
    using home = gweHome();
    const sets = [
      ["-m", "m"],
      ["-r", "v"],
      ["-u", "7"],
      ["-i", "eth7"],
      ["-l", "77"],
      ["-c", cik],
    ] as const;
    const results = await Promise.all(sets.map((argv) => runCommand("gwe", argv, home)));
    expect(results.map(({ status }) => status)).toEqual(sets.map(() => 0));
    const text = readFileSync(home.paths.gatewayCfg, "utf8");
    expect(text.split("\n").sort().join("\n").trim()).toBe(
      `[device]\nactivation_retry_interval = 77\ncik = ${cik}\niface = eth7\nmodel = m\nuuid = 7\nvendor = v`,
    );
  });
});

describe("gwe prints", () => {
  it("version and installation path, from wherever it is called and linked", async () => {
    using home = gweHome();
    symlinkSync(join(repositoryRoot, "bin/gwe"), join(home.home, "gwe"));
    expect(
      await runCommand(join(home.home, "gwe"), ["-v", "-p"], { home: home.home, cwd: home.home }),
    ).toMatchObject({
      status: 0,
      stdout: `${packageJson.version}\n${repositoryRoot}\n`,
      stderr: "",
    });
  });

  it("both files with their paths, and nowhere the CIK", async () => {
    using home = gweHome();
    home.gatewayCfg(`[device]\ncik = ${cik}\n# was ${cik.toUpperCase()}\nuuid = 1\n`);
    const { stdout, status } = await runCommand("gwe", ["-e", "-g"], home);
    expect(status).toBe(0);
    expect(stdout).toBe(
      `# ${home.paths.engineConfig} (does not exist: defaults apply)\n` +
        `# ${home.paths.gatewayCfg}\n[device]\ncik = [redacted]\n# was [redacted]\nuuid = 1\n`,
    );
  });

  it("a MAC address, or which interfaces there are", async () => {
    const result = await runCommand("gwe", ["--mac-address", "nosuch0"]);
    expect(result).toMatchObject({ status: 1, stdout: "" });
    const usable = /usable here: (\w+)/.exec(result.stderr)?.[1];
    if (usable === undefined || usable === "none") return;
    expect((await runCommand("gwe", ["--mac-address", usable])).stdout).toMatch(
      /^([0-9A-F]{2}:){5}[0-9A-F]{2}\n$/,
    );
  });

  it("a mistake without repeating a CIK that is part of it", async () => {
    for (const argv of [[cik], ["-v", cik], [`--${cik}`], ["logs", cik, cik]]) {
      const result = await runCommand("gwe", argv);
      expect(result.status).toBe(2);
      expect(result.stderr).not.toContain(cik);
    }
  });

  it.each([
    [["statsu"], "did you mean 'status'?"],
    [["--set-uid", "1"], "did you mean --set-uuid?"],
    [["--download-latest", "x"], "unknown option --download-latest"],
    [["-v", "extra"], "unexpected argument 'extra'"],
    [["logs"], "usage: gwe logs APP"],
    [["logs", "../../etc/passwd"], "no application's name"],
    [["-I", "/nowhere/meter.v1.tar.gz"], "cannot read /nowhere/meter.v1.tar.gz"],
    [["-I", "meter.zip"], "expected <APP_NAME>.v<VERSION>.tar.gz"],
  ])("one helpful line for %j", async (argv, hint) => {
    using home = gweHome();
    const result = await runCommand("gwe", argv, home);
    expect(result.status).toBeGreaterThan(0);
    expect(result.stdout).toBe("");
    expect(result.stderr).toMatch(oneLine);
    expect(result.stderr).toContain(hint);
  });
});
