import { readFileSync } from "node:fs";
import { ConfigAccessError, loadConfig } from "../../config/index.ts";
import { isCik } from "../../core/cik.ts";
import { CommandError, UsageError } from "../errors.ts";
import type { GweContext } from "../gwe-context.ts";
import type { OwnerServer } from "./owner-http.ts";

export interface OwnerOptions {
  readonly url: string | undefined;
  readonly cikFile: string | undefined;
}

/**
 * Which server, and whose. A CIK on a command line would be for every user of the machine to read: it comes from a
 * file or the environment.
 */
export function ownerServer(options: OwnerOptions, { terminal, paths }: GweContext): OwnerServer {
  const { env } = terminal;
  const device = configured(paths);
  const baseUrl = options.url ?? (env.GWE_FLEET_URL || undefined) ?? device?.serverUrl;
  if (baseUrl === undefined) throw new UsageError("which server? give --url URL, or set GWE_FLEET_URL");
  if (!/^https?:\/\/[^/?#@\s]+\/?$/i.test(baseUrl)) {
    throw new UsageError("--url is http:// or https://, a host and perhaps a port");
  }
  const cik = options.cikFile === undefined ? (env.GWE_OWNER_CIK ?? "") : readSecret(options.cikFile);
  if (cik === "")
    throw new UsageError("whose fleet? set GWE_OWNER_CIK to the owner's CIK, or give --cik-file FILE");
  if (!isCik(cik)) throw new UsageError("the owner's CIK has 40 letters and digits");
  const caFile = env.GWE_FLEET_CA || device?.caFile;
  return { baseUrl, cik, ca: caFile === undefined ? undefined : readText(caFile), env };
}

/** An operator's machine is seldom a gateway. */
function configured(paths: GweContext["paths"]): ReturnType<typeof loadConfig>["device"] | undefined {
  try {
    return loadConfig(paths).device;
  } catch (error) {
    if (error instanceof ConfigAccessError) return undefined;
    throw error;
  }
}

function readSecret(file: string): string {
  return readText(file).trim();
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new CommandError(`cannot read ${file} (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}
