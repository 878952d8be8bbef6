import { execFileSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../support/temp-directory.ts";
import { packagesFolder } from "./pythons.ts";

it("makes the packages importable by the Pythons on PATH, and takes that back", () => {
  const directory = temporaryDirectory();
  const environment = join(directory, "venv");
  execFileSync("python3", ["-m", "venv", "--without-pip", environment]);
  // No other Python of this machine may be touched: nothing but the new one and the tools of link.sh is on PATH.
  const tools = join(directory, "tools");
  execFileSync("sh", [
    "-c",
    'mkdir "$0" && for tool in sh mkdir mv rm; do ln -s "$(command -v "$tool")" "$0/$tool"; done',
    tools,
  ]);
  const env = { PATH: `${environment}/bin:${tools}`, PYTHONDONTWRITEBYTECODE: "1" };
  const script = join(packagesFolder, "link.sh");
  const importIt = () =>
    execFileSync(
      `${environment}/bin/python3`,
      ["-c", "import exo.api, GatewayEngine.utils; print(exo.__file__)"],
      {
        env,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      },
    ).trim();

  execFileSync(script, ["install", packagesFolder], { env });
  expect(importIt()).toBe(join(packagesFolder, "exo/__init__.py"));
  execFileSync(script, ["remove"], { env });
  expect(globSync(join(environment, "lib/*/site-packages/*gateway-engine*"))).toEqual([]);
  expect(importIt).toThrow(/No module named/);
  expect(existsSync(join(packagesFolder, "exo/__pycache__"))).toBe(false);
});
