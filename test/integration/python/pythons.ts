/** The Pythons of this machine, each of the versions that applications in the field are written for. */
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { repositoryRoot } from "../../support/run-command.ts";

export const packagesFolder = join(repositoryRoot, "packaging/python");

export interface Python {
  readonly version: string;
  readonly program: string;
}

/** Python 3 always; Python 2.7 where the machine has one (newer Debians do not), pyenv's among them. */
export function pythons(): Python[] {
  const python2 =
    pathOf("python2.7", ["-c", printItsPath]) ?? pathOf("pyenv", ["whence", "--path", "python2.7"]);
  return [
    { version: "python3", program: pathOf("python3", ["-c", printItsPath]) ?? "python3" },
    ...(python2 === undefined ? [] : [{ version: "python2.7", program: python2 }]),
  ];
}

const printItsPath = "import sys; print(sys.executable)";

function pathOf(program: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: "utf8" });
  return status === 0 ? stdout.trim().split("\n").at(-1) : undefined;
}

export interface PythonOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program text with `exo` and `GatewayEngine` importable; resolves to what it printed. */
export function runPython({ program }: Python, source: string, { env }: PythonOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["-c", `# -*- coding: utf-8 -*-\n${source}`], {
      env: {
        PATH: `${join(repositoryRoot, "bin")}:${process.env.PATH}`,
        PYTHONPATH: packagesFolder,
        PYTHONDONTWRITEBYTECODE: "1",
        PYTHONIOENCODING: "utf-8",
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.once("error", reject);
    child.once("close", (status) => {
      if (status === 0) resolve(stdout);
      else reject(new PythonFailure(`exit status ${status}\n${stdout}\n${stderr}`));
    });
  });
}

class PythonFailure extends Error {}
