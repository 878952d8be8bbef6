import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type BuildDependencies,
  type Buildfile,
  buildApp,
  modifiedSeconds,
} from "../../../src/app-builder/index.ts";
import { durableFiles } from "../../../src/platform/durable-files.ts";
import { runShell } from "../../../src/platform/run-shell.ts";
import { type AppTree, type Checkout, smallApp, writeTree } from "../../support/app-tree.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const year2000 = modifiedSeconds(undefined);

const deps: BuildDependencies = {
  files: durableFiles,
  runShell: (command, directory, env) => runShell(command, directory, { PATH: process.env.PATH, ...env }),
  // What a gateway says of packages is tested with the engine's own worker (test/integration/app-builder).
  check: async () => ({ faults: [], warnings: [] }),
  warn: () => undefined,
  pid: process.pid,
};

const buildfile: Buildfile = {
  name: "app",
  version: "1",
  includes: ["**"],
  excludes: [],
  pre_build_cmds: [],
  post_build_cmds: [],
};

/** Checks a tree out and builds it there. */
function build(directory: string, tree: AppTree, checkout?: Checkout, changes: Partial<Buildfile> = {}) {
  writeTree(directory, tree, checkout);
  return buildApp({ directory, buildfile: { ...buildfile, ...changes }, modifiedS: year2000 }, deps);
}

/** The names in a package, as another tar lists them. */
function listed(tarball: string): readonly string[] {
  const list = execFileSync("tar", ["--quoting-style=escape", "-tzf", tarball], {
    encoding: "utf8",
    env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8" },
  });
  return list.split("\n").filter(Boolean);
}

const treeOf = (...paths: readonly string[]): AppTree =>
  Object.fromEntries(paths.map((path) => [path, { content: path }]));

describe("a package's bytes", () => {
  it("depend on names, contents, links and x bits alone, and unpack to just those", async () => {
    const name = fc.string({
      unit: fc.constantFrom("a", "B", "é", "-", ".x", " ", "\\"),
      minLength: 1,
      maxLength: 5,
    });
    const path = fc
      .oneof(
        fc.array(name, { minLength: 1, maxLength: 3 }),
        fc.constant(["long".repeat(30), "name".repeat(30), "d".repeat(120)]),
      )
      .map((names) => names.map((part) => part.replace(/[ .]+$/, "x")).join("/"));
    const file = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ content: fc.string({ maxLength: 2000 }), executable: fc.boolean() }),
      },
      { weight: 1, arbitrary: fc.record({ link: fc.constantFrom("a", "é", "x/".repeat(70)) }) },
      { weight: 1, arbitrary: fc.constant("directory" as const) },
    );
    const tree = fc
      .dictionary(path, file, { minKeys: 1, maxKeys: 12, noNullPrototype: true })
      .filter(isPossible);
    const other = fc.record({
      reversed: fc.boolean(),
      modifiedS: fc.integer({ min: 1, max: 2 ** 31 }),
      group: fc.constantFrom("writable" as const, "shut out" as const),
      owner: fc.constantFrom(0, 1234),
      hardLinks: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(tree, other, async (files, checkout) => {
        const work = mkdtempSync(join(tmpdir(), "gwe-test-"));
        try {
          const first = readFileSync(await build(join(work, "first"), files));
          const second = readFileSync(await build(join(work, "second/elsewhere"), files, checkout));
          expect(second.equals(first)).toBe(true);
          execFileSync("tar", ["-xzf", join(work, "first/app.v1.tar.gz"), "-C", work, "--one-top-level=out"]);
          expect(readTree(join(work, "out"))).toEqual(expectedTree(files));
        } finally {
          rmSync(work, { recursive: true, force: true });
        }
      }),
      { numRuns: 20 },
    );
  }, 30_000);

  it("are these, on every machine and with every Node", async () => {
    const tarball = await build(temporaryDirectory(), {
      ...smallApp,
      "data/é.bin": { content: Uint8Array.from({ length: 300_000 }, (_, index) => (index * index) >> 7) },
      current: { link: "data" },
      empty: "directory",
    });
    const bytes = readFileSync(tarball);
    // magic, deflate, no name, no time, best compression, Unix
    expect(bytes.subarray(0, 10).toString("hex")).toBe("1f8b0800000000000203");
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(
      "6cc7ad55f0f6e06f9384307dd403b6ad96341e100e5e02619c7a95ebbb9d5e79",
    );
  });

  it("hold one time for all: 2000, or SOURCE_DATE_EPOCH", () => {
    expect(modifiedSeconds("")).toBe(Date.UTC(2000, 0, 1) / 1000);
    expect(modifiedSeconds("86400")).toBe(86400);
    for (const bad of ["yesterday", "-1", "1.5", "1e9", "99999999999"]) {
      expect(() => modifiedSeconds(bad)).toThrow(`SOURCE_DATE_EPOCH=${bad}`);
    }
  });
});

describe("what goes into a package", () => {
  it("is includes minus excludes, with the directories that lead there", async () => {
    const tree = treeOf(
      "install.sh",
      "src/main.py",
      "src/test/x.py",
      "src/notes.txt",
      "doc/a.md",
      "keep/log",
    );
    const changes = { includes: ["install.sh", "src/**/*.py", "keep"], excludes: ["src/test", "*.log"] };
    const tarball = await build(temporaryDirectory(), tree, {}, changes);
    expect(listed(tarball)).toEqual(["install.sh", "keep/", "keep/log", "src/", "src/main.py"]);
  });

  it("is never version control, editors' leftovers, its own buildfile or earlier packages", async () => {
    const directory = temporaryDirectory();
    const strays = [
      ".git/HEAD",
      "a/.hg/x",
      ".DS_Store",
      "._install.sh",
      "main.py~",
      ".main.py.swp",
      "a/__pycache__/m.pyc",
    ];
    writeTree(
      directory,
      treeOf(
        "install.sh",
        ".env",
        "a/x",
        "build.json",
        "app.v0.tar.gz",
        ".app.v1.tar.gz.9.partial",
        ...strays,
      ),
    );
    const request = { directory, buildfile, buildfileName: "build.json", modifiedS: year2000 };
    expect(listed(await buildApp(request, deps))).toEqual([".env", "a/", "a/x", "install.sh"]);
  });

  it("is what would be left out, where includes name it", async () => {
    const tree = treeOf("install.sh", ".git/HEAD", ".git/__pycache__/x", "py/__pycache__/a.pyc");
    const changes = { includes: ["install.sh", ".git", "py/__pycache__/*.pyc"] };
    const tarball = await build(temporaryDirectory(), tree, {}, changes);
    expect(listed(tarball)).toEqual([
      ".git/",
      ".git/HEAD",
      "install.sh",
      "py/",
      "py/__pycache__/",
      "py/__pycache__/a.pyc",
    ]);
  });

  it("cannot be nothing, a pipe, or a name that is no text", async () => {
    const directory = temporaryDirectory();
    const changes = { includes: ["install.sh", "scr"] };
    await expect(build(directory, smallApp, {}, changes)).rejects.toThrow('"scr" finds nothing');
    execFileSync("mkfifo", [join(directory, "pipe")]);
    await expect(build(directory, {})).rejects.toThrow('"pipe" is neither file, directory nor link');
    rmSync(join(directory, "pipe"));
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff])]), "");
    await expect(build(directory, {})).rejects.toThrow("not valid UTF-8");
    expect(readdirSync(directory).filter((file) => file.includes("tar"))).toEqual([]);
  });

  it("is not read while it changes", async () => {
    const directory = temporaryDirectory();
    const grown = Buffer.alloc(3_000_000, "x");
    const write: BuildDependencies["files"]["create"] = async (file, mode) => {
      writeFileSync(join(directory, "data"), grown);
      return durableFiles.create(file, mode);
    };
    writeTree(directory, treeOf("data"));
    const building = buildApp(
      { directory, buildfile, modifiedS: year2000 },
      { ...deps, files: { ...durableFiles, create: write } },
    );
    await expect(building).rejects.toThrow('"data" changed while it was packed');
    expect(readdirSync(directory)).toEqual(["data"]);
  });
});

describe("the steps of a build", () => {
  it("are pre-build commands, packing, and post-build commands, which are told what is built", async () => {
    const directory = temporaryDirectory();
    const tell = "$GWE_APP_NAME $GWE_APP_VERSION $SOURCE_DATE_EPOCH";
    const changes = {
      pre_build_cmds: [`echo "${tell} $(ls)" > before`, "echo from-the-second >> before"],
      post_build_cmds: ['test -s "$GWE_APP_TARBALL" && cp "$GWE_APP_TARBALL" copy'],
    };
    const tarball = await build(directory, smallApp, {}, changes);
    expect(tarball).toBe(join(directory, "app.v1.tar.gz"));
    expect(listed(tarball)).toEqual(["before", "install.sh"]);
    expect(readFileSync(join(directory, "before"), "utf8")).toBe(
      `app 1 ${year2000} install.sh\nfrom-the-second\n`,
    );
    expect(readFileSync(join(directory, "copy"))).toEqual(readFileSync(tarball));
  });

  it("end at the first that fails; an earlier package of the name stays as it was", async () => {
    const directory = temporaryDirectory();
    const old = join(directory, "app.v1.tar.gz");
    writeTree(directory, { "app.v1.tar.gz": { content: "old" } });
    const pre = { pre_build_cmds: ["true", "exit 3", "touch third"] };
    await expect(build(directory, smallApp, {}, pre)).rejects.toThrow(
      "pre_build_cmds[1] ended with exit status 3: exit 3",
    );
    expect(existsSync(join(directory, "third"))).toBe(false);
    const refusing = { ...deps, check: async () => ({ faults: ["it is bad"], warnings: [] }) };
    const post = { ...buildfile, post_build_cmds: ["touch after"] };
    await expect(
      buildApp({ directory, buildfile: post, modifiedS: year2000 }, refusing),
    ).rejects.toMatchObject({
      faults: ["it is bad"],
    });
    expect(readFileSync(old, "utf8")).toBe("old");
    expect(readdirSync(directory).sort()).toEqual(["app.v1.tar.gz", "install.sh"]);
  });

  it("check again what the post-build commands left", async () => {
    const checked: string[] = [];
    const check: BuildDependencies["check"] = async (file) => {
      checked.push(readFileSync(file).subarray(0, 4).toString("latin1"));
      return { faults: checked.at(-1) === "junk" ? ["junk"] : [], warnings: [] };
    };
    const directory = temporaryDirectory();
    writeTree(directory, smallApp);
    const spoiling = { ...buildfile, post_build_cmds: ['printf junk > "$GWE_APP_TARBALL"'] };
    const building = buildApp({ directory, buildfile: spoiling, modifiedS: year2000 }, { ...deps, check });
    await expect(building).rejects.toMatchObject({ faults: ["junk"] });
  });
});

/** No path of it lies below one that is no directory. */
function isPossible(tree: AppTree): boolean {
  const paths = Object.keys(tree);
  return paths.every(
    (path) => !paths.some((other) => path.startsWith(`${other}/`) && tree[other] !== "directory"),
  );
}

function expectedTree(tree: AppTree): unknown {
  const entries = new Map<string, unknown>();
  for (const [path, file] of Object.entries(tree)) {
    const parents = path.split("/").slice(0, file === "directory" ? undefined : -1);
    for (const [index] of parents.entries())
      entries.set(parents.slice(0, index + 1).join("/"), "directory 755");
    if (file === "directory") continue;
    const what =
      "link" in file ? `link ${file.link}` : `file ${file.executable ? 755 : 644} ${String(file.content)}`;
    entries.set(path, what);
  }
  return Object.fromEntries(entries);
}

/** Node's own recursive reading follows links in some versions. */
function readTree(top: string, directory = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(join(top, directory), { withFileTypes: true })) {
    const path = join(directory, entry.name);
    const full = join(top, path);
    const mode = (lstatSync(full).mode & 0o777).toString(8);
    if (entry.isDirectory()) Object.assign(found, { [path]: `directory ${mode}` }, readTree(top, path));
    else if (entry.isSymbolicLink()) found[path] = `link ${readlinkSync(full)}`;
    else found[path] = `file ${mode} ${readFileSync(full, "utf8")}`;
  }
  return found;
}
