import { resolve } from "node:path";
import { type Paths, readConfigFile } from "../config/index.ts";
import { writeFileAtomic } from "../platform/files.ts";
import { parseArguments } from "./arguments.ts";
import { CommandError, UsageError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { collect } from "./support-bundle/collect.ts";
import { knownSecrets } from "./support-bundle/known-secrets.ts";
import { secretMask } from "./support-bundle/secrets.ts";
import { tarball } from "./tarball.ts";

const flags = [
  { long: "output", short: "o", takes: "value", value: "FILE", help: "Where to write it." },
] as const;

const readme = `What 'gwe support-bundle' found on a gateway. Taken out of every file: CIKs, private keys, passwords in URLs, and
values whose names say that they are secret ([redacted]). Serial number, addresses and names of applications
are in here: they are what support needs. What applications write into their logs they may call otherwise:
look through logs/apps before you pass this on.
`;

/** `gwe support-bundle [-o FILE]`: logs and state without secrets, in one archive; prints its path alone on stdout. */
export async function makeSupportBundle(
  argv: readonly string[],
  { terminal, paths }: GweContext,
): Promise<number> {
  const { flags: given, positionals } = parseArguments(flags, argv);
  if (positionals.length > 0) throw new UsageError("usage: gwe support-bundle [-o FILE]");
  const now = new Date();
  const mask = secretMask(await knownSecrets(paths));
  const found = await collect({ paths, env: terminal.env, now: Date.now });
  const masked = found.map(({ path, content }) => ({
    path,
    content: mask(Buffer.from(content).toString("utf8")),
  }));
  const stem = `gwe-support-${nameOf(paths)}-${now.toISOString().replace(/[-:]|\.\d+/g, "")}`;
  const files = [{ path: "README.txt", content: readme }, ...masked].map((file) => ({
    ...file,
    path: `${stem}/${file.path}`.slice(0, 100),
  }));
  const file = resolve(given.get("output")?.[0] ?? `${stem}.tar.gz`);
  try {
    writeFileAtomic(file, tarball(files, now), { mode: 0o600, enforceMode: true });
  } catch (error) {
    throw new CommandError(
      `cannot write ${file} (${(error as NodeJS.ErrnoException).code}): -o FILE writes it elsewhere`,
      { cause: error },
    );
  }
  await terminal.write(`${file}\n`);
  terminal.note("gwe: secrets are taken out; applications' logs are worth a look before you pass it on");
  return 0;
}

/** Short, and fit for a file's name. Also where the configuration is wrong: then the bundle is to tell of it. */
function nameOf({ gatewayCfg }: Paths): string {
  const serial = readConfigFile(gatewayCfg).document.get("device", "uuid")?.value ?? "";
  return serial.replace(/[^A-Za-z0-9-]/g, "").slice(0, 30) || "gateway";
}
