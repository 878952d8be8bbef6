import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseArguments } from "../../../src/cli/arguments.ts";
import { runBuildTool } from "../../../src/cli/gwe-build.ts";
import { allFlags } from "../../../src/cli/gwe-flags.ts";
import { pathsUnder } from "../../../src/core/paths.ts";
import { runWorker } from "../../../src/platform/worker-process.ts";
import { type AppTree, smallApp, writeTree } from "../../support/app-tree.ts";
import { callCommand, type Subcommand } from "../../support/command-in-process.ts";
import {
  goodInstallScript,
  goodSupervisorConf,
  type RawMember,
  rawPackage,
} from "../../support/ota-archives.ts";
import { bundleProgram } from "../../support/program-bundle.ts";
import { repositoryRoot, runCommand } from "../../support/run-command.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const buildfileOf = (changes: object = {}): string =>
  JSON.stringify({ name: "meter", version: "1.2", ...changes });

/** An app's directory with a buildfile. */
function app(tree: AppTree, changes: object = {}): { directory: string; file: string } {
  const directory = temporaryDirectory();
  const file = join(directory, "build.json");
  writeTree(directory, { ...tree, "build.json": { content: buildfileOf(changes) } });
  return { directory, file };
}

describe("gwe --build-app", () => {
  it.each(["--build-app", "--build-app-tarball", "-y"])(
    "%s prints the package's path, alone",
    async (flag) => {
      const { directory, file } = app(smallApp, { pre_build_cmds: ["echo working; echo hard >&2"] });
      const result = await runCommand("gwe", [flag, file]);
      expect(result).toEqual({
        status: 0,
        signal: null,
        stdout: `${directory}/meter.v1.2.tar.gz\n`,
        stderr: "working\nhard\n",
      });
      expect((statSync(join(directory, "meter.v1.2.tar.gz")).mode & 0o444).toString(8)).toBe("444");
    },
  );

  it("makes the same bytes anywhere, and others with SOURCE_DATE_EPOCH", async () => {
    const [first, second, third] = [app(smallApp), app(smallApp), app(smallApp)];
    const bytes = async ({ directory, file }: typeof first, options: object): Promise<Buffer> => {
      expect(await runCommand("gwe", ["-y", file], options)).toMatchObject({ status: 0 });
      return readFileSync(join(directory, "meter.v1.2.tar.gz"));
    };
    const plain = await bytes(first, {});
    expect(
      (await bytes(second, { cwd: second.directory, env: { TZ: "Asia/Tokyo", LANG: "tr_TR" } })).equals(
        plain,
      ),
    ).toBe(true);
    expect((await bytes(third, { env: { SOURCE_DATE_EPOCH: "86400" } })).equals(plain)).toBe(false);
    const listing = execFileSync("tar", ["--utc", "-tvzf", join(third.directory, "meter.v1.2.tar.gz")]);
    expect(listing.toString()).toMatch(/^-rwxr-xr-x 0\/0 +\d+ 1970-01-02 00:00 install\.sh\n$/);
  });

  it("without a buildfile packs the current directory as -n and -s say", async () => {
    const cwd = temporaryDirectory();
    writeTree(cwd, smallApp);
    expect(await runCommand("gwe", ["-n", "meter", "-s", "3", "-y"], { cwd })).toMatchObject({
      status: 0,
      stdout: `${cwd}/meter.v3.tar.gz\n`,
    });
    expect(await runCommand("gwe", ["-y", "-n", "meter"], { cwd })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("-n NAME and -s VERSION"),
    });
  });

  it.each([
    [
      "a link that leads out",
      { ...smallApp, "data/etc": { link: "../../etc" } },
      {},
      '"data/etc" is a link that leads out of the package, to "../../etc"',
    ],
    ["no installer", { "app/main.py": { content: "" } }, {}, "neither an install.sh nor a setup.py"],
    [
      "an install.sh without its x bit",
      { "install.sh": { content: "#!/bin/sh\n" } },
      {},
      "chmod +x install.sh",
    ],
    [
      "a bad supervisor.conf",
      { ...smallApp, "supervisor.conf": { content: "[supervisord]\nstartsecs=soon\n" } },
      {},
      'line 2: startsecs="soon"',
    ],
    ["a pattern that finds nothing", smallApp, { includes: ["install.sh", "scr"] }, '"scr" finds nothing'],
    [
      "a command that fails",
      smallApp,
      { pre_build_cmds: ["false"] },
      "pre_build_cmds[0] ended with exit status 1: false",
    ],
  ])("with %s builds nothing and says why", async (_, tree: AppTree, changes, why) => {
    const { directory, file } = app(tree, changes);
    const before = readdirSync(directory).sort();
    const result = await runCommand("gwe", ["-y", file]);
    expect(result).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining(why) });
    expect(readdirSync(directory).sort()).toEqual(before);
  });

  it("names the faults of the buildfile itself, with their places", async () => {
    const { file } = app(smallApp, { version: 3 });
    expect(await runCommand("gwe", ["-y", file])).toMatchObject({
      status: 1,
      stdout: "",
      stderr: `${file}:1:27: version: expected text in quotes (as a number, 1.10 would be 1.1)\n`,
    });
  });

  it.each(["heartbeat", "hello"])(
    "builds the example %s, and the engine's worker unpacks it",
    async (name) => {
      const work = temporaryDirectory();
      cpSync(join(repositoryRoot, "docs/examples", name), join(work, name), { recursive: true });
      const result = await runCommand("gwe", ["--build-app", join(work, name, "build.json"), "-s", "42"]);
      expect(result).toMatchObject({ status: 0, stderr: "", stdout: `${work}/${name}/${name}.v42.tar.gz\n` });
      const answer = await runWorker({
        nodeFile: process.execPath,
        workerFile: bundleProgram("src/ota/worker/main.ts"),
        heapMib: 64,
        timeoutMs: 30_000,
        request: {
          task: "unpack",
          file: result.stdout.trim(),
          into: join(work, "into"),
          maxBytes: 1_000_000,
          maxMembers: 100,
          maxNameBytes: 1000,
        },
      });
      expect(answer).toMatchObject({
        outcome: "unpacked",
        package: { installScript: { executable: true, interpreter: "/bin/sh" } },
      });
      if (name === "heartbeat") {
        const conf = readFileSync(join(work, "into/build/supervisor.conf"), "utf8");
        expect(conf).toContain("command = %(here)s/heartbeat.sh 42\n");
      }
    },
  );
});

describe("gwe --create-buildfile", () => {
  it("asks on stderr, again where an answer will not do, and says what each key is for", async () => {
    const cwd = temporaryDirectory();
    const input = "my.json\n../bad\nmeter\n1.v2\n1.2\n";
    const result = await runCommand("gwe", ["-x"], { cwd, input });
    expect(result.status).toBe(0);
    expect(result.stderr).toContain("Buildfile [build.json]: App name");
    expect(result.stderr).toContain("the version holds '.v'");
    for (const key of ["name", "version", "includes", "excludes", "pre_build_cmds", "post_build_cmds"]) {
      expect(result.stdout).toMatch(new RegExp(`^ +${key} +\\w`, "m"));
    }
    expect(JSON.parse(readFileSync(join(cwd, "my.json"), "utf8"))).toEqual({
      name: "meter",
      version: "1.2",
      includes: ["**"],
      excludes: [],
      pre_build_cmds: [],
      post_build_cmds: [],
    });
  });

  it("asks nothing with -n and -s, and what it writes builds", async () => {
    const cwd = temporaryDirectory();
    writeTree(cwd, smallApp);
    const result = await runCommand("gwe", ["--create-buildfile", "-n", "meter", "-s", "1"], { cwd });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(await runCommand("gwe", ["-w", "build.json"], { cwd })).toMatchObject({
      status: 0,
      stdout: "[PASS]\n",
    });
    expect(await runCommand("gwe", ["-y", "build.json"], { cwd })).toMatchObject({ status: 0, stderr: "" });
  });

  it("replaces a file only when told to", async () => {
    const { directory: cwd, file } = app({});
    const before = readFileSync(file, "utf8");
    for (const [args, input] of [
      [["-x"], "\nn\n"],
      [["-x"], "\n\n"],
      [["-x", "-n", "other", "-s", "1"], ""],
    ] as const) {
      expect(await runCommand("gwe", args, { cwd, input })).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("is there already and was left as it is"),
      });
      expect(readFileSync(file, "utf8")).toBe(before);
    }
    expect(await runCommand("gwe", ["-x"], { cwd, input: "\ny\nother\n\n" })).toMatchObject({ status: 0 });
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ name: "other", version: "1" });
  });

  it("gives up when nobody answers", async () => {
    const cwd = temporaryDirectory();
    expect(await runCommand("gwe", ["-x"], { cwd, input: "b.json\n" })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("-n and -s give name and version"),
    });
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe("gwe --check-buildfile", () => {
  it("prints each fault with its place", async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, "b.json"), '{"name": "a",\n "includes": ["/etc"],\n "x": 1}');
    expect(await runCommand("gwe", ["--check-buildfile", "b.json"], { cwd })).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^b\.json:1:1: version: is missing\nb\.json:3:7: x: no such key; .*\n$/),
    });
    expect(await runCommand("gwe", ["-w", "none.json"], { cwd })).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^gwe: cannot read none\.json: ENOENT/),
    });
  });
});

describe("gwe --check-tarball", () => {
  const checkTarball: Subcommand = (argv, context) =>
    runBuildTool(parseArguments(allFlags, argv).flags, context);
  const installScript = (content: string, mode = 0o755): RawMember => ({ name: "install.sh", mode, content });
  const conf = (content: string): RawMember => ({ name: "supervisor.conf", content });

  async function check(members: readonly RawMember[] | Buffer, name = "meter.v1.tar.gz") {
    const file = join(temporaryDirectory(), name);
    writeFileSync(file, Buffer.isBuffer(members) ? members : rawPackage(members));
    const { status, stdout, stderr } = await callCommand(checkTarball, ["-z", file], pathsUnder("/nowhere"));
    return {
      status,
      stdout: stdout.replaceAll(file, basename(file)),
      stderr: stderr.replaceAll(file, basename(file)),
    };
  }

  it.each([
    ["at the top level", [goodInstallScript, goodSupervisorConf]],
    [
      "below one directory",
      [goodInstallScript, goodSupervisorConf].map((m) => ({ ...m, name: `meter/${m.name}` })),
    ],
    ["for setup.py", [{ name: "setup.py", content: "" }]],
    [
      "with a link to its own top",
      [goodInstallScript, { name: "d", type: "5" }, { name: "d/up", type: "2", target: ".." }],
    ],
    ["with the section named", [goodInstallScript, conf("[program:meter]\ncommand=/bin/sleep 1\n")]],
  ])("passes a package %s", async (_, members) => {
    expect(await check(members)).toEqual({ status: 0, stdout: "[PASS]\n", stderr: "" });
  });

  it.each([
    ["a member above the package", [goodInstallScript, { name: "../x" }], '"../x" climbs out of the package'],
    ["an absolute member", [goodInstallScript, { name: "/etc/x" }], '"/etc/x" has an absolute name'],
    ["a device", [goodInstallScript, { name: "tty", type: "3" }], '"tty" is of the type CharacterDevice'],
    [
      "a link out",
      [goodInstallScript, { name: "l", type: "2", target: "/etc" }],
      '"l" is a link that leads out',
    ],
    ["no install.sh", [goodSupervisorConf], "neither an install.sh nor a setup.py at its top level"],
    [
      "an install.sh too deep",
      [{ ...goodInstallScript, name: "a/b/install.sh" }],
      "at its top level (there is b/install.sh)",
    ],
    ["no x bit", [installScript("#!/bin/sh\n", 0o644)], "install.sh is not executable"],
    ["no shebang", [installScript("echo\n")], "install.sh has no '#!' line"],
    ["DOS line ends", [installScript("#!/bin/sh\r\n")], "install.sh has DOS line ends"],
    [
      "a bad option",
      [goodInstallScript, conf("[supervisord]\nstopsignal=NOPE\n")],
      'supervisor.conf line 2: stopsignal="NOPE"',
    ],
    ["bad INI", [goodInstallScript, conf("[supervisord]\nnonsense\n")], "supervisor.conf line 2: expected"],
    ["another program", [goodInstallScript, conf("[program:other]\ncommand=x\n")], "line 1: [program:other]"],
    ["no gzip", Buffer.from("plain"), "not a gzip file"],
    ["half a file", rawPackage([goodInstallScript]).subarray(0, 100), "truncated"],
  ])("finds %s", async (_, members, fault) => {
    const result = await check(members);
    expect(result.status).toBe(1);
    expect(result.stdout).toContain(`meter.v1.tar.gz: `);
    expect(result.stdout).toContain(fault);
    expect(result.stdout).not.toContain("[PASS]");
    expect(result.stdout.trimEnd().split("\n")).toHaveLength(1);
  });

  it.each([
    ["meter.tar.gz", "no '.v' before the version"],
    ["meter.v1.tgz", "expected <APP_NAME>.v<VERSION>.tar.gz"],
    ["gwe.v1.tar.gz", "the name gwe is taken"],
    ["meld3.v1.tar.gz", "the name meld3 is taken"],
  ])("finds fault with the name %s", async (name, fault) => {
    expect(await check([goodInstallScript], name)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining(fault),
    });
  });

  it("tells all faults at once", async () => {
    const result = await check(
      [installScript("echo\n", 0o644), conf("[supervisord]\nautostart=maybe\n")],
      "meter.tar.gz",
    );
    expect(
      result.stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.slice(0, 40)),
    ).toEqual([
      expect.stringContaining("bad package name"),
      expect.stringContaining("install.sh has no '#!'"),
      expect.stringContaining("install.sh is not exec"),
      expect.stringContaining("supervisor.conf line 2"),
    ]);
  });

  it("keeps warnings apart: they pass", async () => {
    const result = await check([
      installScript("#!/opt/none/python2\n"),
      conf("[supervisord]\ncommand=./missing %(ENV_SITE)s\nstdout_events_enabled=true\n"),
      { name: "old", type: "2", target: "gone" },
    ]);
    expect(result).toMatchObject({ status: 0, stdout: "[PASS]\n" });
    for (const warning of [
      'needs "/opt/none/python2", which this machine does not have',
      "needs the environment variable SITE",
      "stdout_events_enabled has no effect",
      '"missing" is not in the package',
      'the link "old" leads to nothing',
    ]) {
      expect(result.stderr).toContain(`meter.v1.tar.gz: warning: `);
      expect(result.stderr).toContain(warning);
    }
  });

  it("takes several files, and says which is which", async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, "a.v1.tar.gz"), rawPackage([goodInstallScript]));
    writeFileSync(join(cwd, "b.v1.tar.gz"), rawPackage([goodSupervisorConf]));
    const tmp = temporaryDirectory();
    const options = { cwd, env: { TMPDIR: tmp } };
    expect(await runCommand("gwe", ["--check-tarfile", "a.v1.tar.gz", "b.v1.tar.gz"], options)).toMatchObject(
      {
        status: 1,
        stdout: expect.stringMatching(
          /^a\.v1\.tar\.gz: \[PASS\]\nb\.v1\.tar\.gz: the package has neither .*\n$/,
        ),
      },
    );
    expect(readdirSync(tmp)).toEqual([]);
  });
});

it.each([
  [["-x", "-z", "a"], "--create-buildfile and --check-tarball cannot be combined"],
  [["-y", "b.json", "--once"], "--build-app and --once cannot be combined"],
  [["-n", "a"], "-n and -s go with"],
])("gwe %j is wrong usage", async (argv, why) => {
  expect(await runCommand("gwe", argv)).toMatchObject({ status: 2, stderr: expect.stringContaining(why) });
});
