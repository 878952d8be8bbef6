import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseFailedTrial, parseTrial } from "../../../src/core/engine-trial.ts";
import { repositoryRoot } from "../../support/run-command.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

/** Two versions of an engine that say their names and end, the new one on trial. */
function installation(trial = "version=2.0\nprevious=1.0\nstarts=0\n") {
  const prefix = temporaryDirectory();
  for (const version of ["1.0", "2.0"]) {
    for (const directory of ["bin", "dist", "runtime/bin"])
      mkdirSync(join(prefix, "versions", version, directory), { recursive: true });
    const file = (path: string): string => join(prefix, "versions", version, path);
    for (const name of ["gwe", "node-launcher.sh", "trial.sh"])
      copyFileSync(join(repositoryRoot, "bin", name), file(`bin/${name}`));
    writeFileSync(file("dist/gwe.js"), "");
    writeFileSync(file("runtime/bin/node"), `#!/bin/sh\necho ${version}\n`);
    for (const name of ["bin/gwe", "runtime/bin/node"]) chmodSync(file(name), 0o755);
  }
  symlinkSync("versions/2.0", join(prefix, "current"));
  writeFileSync(join(prefix, "trial"), trial);
  return {
    prefix,
    read: (name: string): string => readFileSync(join(prefix, name), "utf8"),
    has: (name: string): boolean => existsSync(join(prefix, name)),
    current: (): string => readlinkSync(join(prefix, "current")),
    /** As the unit does, by one shell or another. */
    start: (shell: readonly string[], ...args: readonly string[]): string => {
      const [command = "", ...before] = shell;
      return spawnSync(command, [...before, join(prefix, "current/bin/gwe"), ...args], { encoding: "utf8" })
        .stdout;
    },
  };
}

describe.each([[["/bin/sh"]], [["busybox", "sh"]]])("an engine's new version, started by %j", (shell) => {
  it("is started three times, and then the former one, which stays", () => {
    const there = installation();
    for (const starts of [1, 2, 3]) {
      expect(there.start(shell)).toBe("2.0\n");
      expect(parseTrial(there.read("trial"))).toEqual({ version: "2.0", previous: "1.0", starts });
    }
    expect(there.start(shell)).toBe("1.0\n");
    expect(there.current()).toBe("versions/1.0");
    expect(parseFailedTrial(there.read("trial-failed"))).toMatchObject({
      version: "2.0",
      reason: expect.stringContaining("3 times"),
    });
    expect(there.has("trial")).toBe(false);
    expect(there.start(shell)).toBe("1.0\n");
  });

  it("has only its starts as an engine counted", () => {
    const there = installation();
    expect(there.start(shell, "--version")).toBe("2.0\n");
    expect(parseTrial(there.read("trial"))?.starts).toBe(0);
  });

  it.each([
    ["is another version's", "version=3.0\nprevious=1.0\nstarts=9\n"],
    ["has nothing to go back to", "version=2.0\nprevious=0.5\nstarts=9\n"],
    ["is torn", "version=2.0\nprev"],
    ["is empty", ""],
  ])("is started in spite of a trial that %s", (_, text) => {
    const there = installation(text);
    expect(there.start(shell)).toBe("2.0\n");
    expect(there.current()).toBe("versions/2.0");
  });
});
