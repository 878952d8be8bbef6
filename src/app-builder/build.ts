import { join } from "node:path";
import type { DurableFiles } from "../platform/durable-files.ts";
import { writeArchive } from "./archive.ts";
import type { Buildfile } from "./buildfile.ts";
import { BuildError } from "./errors.ts";
import type { Findings } from "./findings.ts";
import { listMembers } from "./members.ts";
import { partialName, Selection } from "./selection.ts";

export interface BuildRequest {
  /** The buildfile's: what is packed, where commands run, and where the package comes to lie. Absolute. */
  readonly directory: string;
  readonly buildfile: Buildfile;
  /** Name of the buildfile in `directory`, which stays out of the package. */
  readonly buildfileName?: string;
  /** Modification time of every member, seconds since 1970. */
  readonly modifiedS: number;
}

export interface BuildDependencies {
  readonly files: Pick<DurableFiles, "create" | "move" | "remove">;
  /** Runs a shell command in a directory and resolves to how it ended; "" is well. */
  readonly runShell: (
    command: string,
    directory: string,
    env: Readonly<Record<string, string>>,
  ) => Promise<string>;
  readonly check: (file: string, name: string) => Promise<Findings>;
  /** Called once for what deserves a look but is no fault. */
  readonly warn: (warning: string) => void;
  readonly pid: number;
}

/** The package would be refused by a gateway. Its `faults` say why. */
export class FaultyPackageError extends BuildError {
  readonly faults: readonly string[];

  constructor(name: string, faults: readonly string[]) {
    super(`${name} would be refused by a gateway`, { context: { faults } });
    this.faults = faults;
  }
}

/** Not 1970: zip, which Python's setup.py packs with, knows no time before 1980. */
const defaultModifiedS = Date.UTC(2000, 0, 1) / 1000;

/**
 * Builds an app's package: pre-build commands, packing, checks, post-build commands, and checks again of whatever those
 * left. A package of the same name is replaced only by one that has passed. Resolves to the package's absolute path.
 *
 * @throws BuildError when a command fails or something cannot be packed; FaultyPackageError
 */
export async function buildApp(request: BuildRequest, deps: BuildDependencies): Promise<string> {
  const { directory, buildfile } = request;
  const name = `${buildfile.name}.v${buildfile.version}.tar.gz`;
  const file = join(directory, name);
  const env = {
    GWE_APP_NAME: buildfile.name,
    GWE_APP_VERSION: buildfile.version,
    GWE_APP_TARBALL: file,
    SOURCE_DATE_EPOCH: String(request.modifiedS),
  };
  const runAll = async (key: "pre_build_cmds" | "post_build_cmds"): Promise<void> => {
    for (const [index, command] of buildfile[key].entries()) {
      const end = await deps.runShell(command, directory, env);
      if (end !== "") throw new BuildError(`${key}[${index}] ${end}: ${command}`);
    }
  };
  await runAll("pre_build_cmds");
  const { warnings } = await pack(request, name, deps);
  await runAll("post_build_cmds");
  const last =
    buildfile.post_build_cmds.length === 0 ? { faults: [], warnings } : await deps.check(file, name);
  if (last.faults.length > 0) throw new FaultyPackageError(name, last.faults);
  for (const warning of last.warnings) deps.warn(warning);
  return file;
}

async function pack(
  { directory, buildfile, buildfileName, modifiedS }: BuildRequest,
  name: string,
  { files, check, pid }: BuildDependencies,
): Promise<Findings> {
  const selection = new Selection(buildfile, buildfileName);
  const members = listMembers(directory, selection);
  const [unmet] = selection.unmet();
  if (unmet !== undefined) {
    throw new BuildError(
      `includes: ${JSON.stringify(unmet)} finds nothing in ${directory} that is not left out`,
    );
  }
  const partial = join(directory, partialName(name, pid));
  try {
    const sink = await files.create(partial, 0o666);
    try {
      await writeArchive(directory, members, modifiedS, (chunk) => sink.write(chunk));
    } catch (error) {
      await sink.abandon();
      throw error;
    }
    await sink.finish();
    const findings = await check(partial, name);
    if (findings.faults.length > 0) throw new FaultyPackageError(name, findings.faults);
    await files.move(partial, join(directory, name));
    return findings;
  } finally {
    await files.remove(partial);
  }
}

/**
 * The time that reproducible builds agree on (https://reproducible-builds.org/specs/source-date-epoch/).
 * @throws BuildError for a value that is none
 */
export function modifiedSeconds(sourceDateEpoch: string | undefined): number {
  if (sourceDateEpoch === undefined || sourceDateEpoch === "") return defaultModifiedS;
  const seconds = Number(sourceDateEpoch);
  // Beyond this, tar's header has no room for it in octal.
  if (!/^\d+$/.test(sourceDateEpoch) || seconds > 0o77777777777) {
    throw new BuildError(
      `SOURCE_DATE_EPOCH=${sourceDateEpoch.slice(0, 40)} is no number of seconds since 1970`,
    );
  }
  return seconds;
}
