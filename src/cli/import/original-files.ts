import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Where an original Gateway Engine keeps what is to be taken over. Absolute; undefined where there is none. */
export interface OriginalFiles {
  readonly gatewayCfg: string | undefined;
  readonly engineConfig: string | undefined;
  readonly gmqCfg: string | undefined;
  /** supervisord's own directory of programs. */
  readonly programsDir: string;
}

/** What is known without looking. */
export interface OriginalPlaces extends Omit<OriginalFiles, "programsDir"> {
  readonly programsDir: string | undefined;
  /** Of the system to look at: `/`, or where an image is mounted. */
  readonly root: string;
}

/** What releases of the original used: a directory of its own, or that of its Python package. */
const fixedDirectories = [
  "etc/exosite/gwe",
  "usr/local/etc/exosite/gwe",
  "etc/exosite/gmq",
  "usr/local/etc/exosite/gmq",
  "opt/gateway-engine/GatewayEngine",
];
const pythonDirectories = ["usr/local/lib", "usr/lib"];

/** Looks where the original's releases put their files; what is given counts before what is found. */
export function findOriginal({ root, ...given }: OriginalPlaces): OriginalFiles {
  const directories = [...fixedDirectories.map((path) => join(root, path)), ...pythonPackages(root)];
  const find = (name: string): string | undefined =>
    directories.map((directory) => join(directory, name)).find((file) => existsSync(file));
  return {
    gatewayCfg: given.gatewayCfg ?? find("Gateway.cfg"),
    engineConfig: given.engineConfig ?? find("Engine.config"),
    gmqCfg: given.gmqCfg ?? find("gmq.cfg"),
    programsDir: given.programsDir ?? join(root, "etc/supervisor/conf.d"),
  };
}

/** `…/python2.7/dist-packages/GatewayEngine`, also inside an egg. */
function pythonPackages(root: string): readonly string[] {
  return pythonDirectories
    .flatMap((lib) => under(join(root, lib), /^python\d/))
    .flatMap((python) => ["dist-packages", "site-packages"].map((name) => join(python, name)))
    .flatMap((packages) => [
      ...under(packages, /^(GatewayEngine|gmq)$/i),
      ...under(packages, /^(GatewayEngine|gmq).*\.egg$/i).flatMap((egg) =>
        under(egg, /^(GatewayEngine|gmq)$/i),
      ),
    ]);
}

function under(directory: string, pattern: RegExp): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(directory, name));
}
