import { type TarballFile, tarball } from "../tarball.ts";
import type { ImportedApp } from "./plan.ts";

/** Its files lie where the original put them: there is nothing to install but the knowledge of how it is run. */
const installScript = `#!/bin/sh
echo "taken over from supervisord; its files are where they were"
`;

/** A package that has the engine run an app that is on the gateway already. */
export function appPackage({ supervisorConf }: ImportedApp, modifiedAt: Date): Buffer {
  const files: readonly TarballFile[] = [
    { path: "install.sh", content: installScript, mode: 0o755 },
    { path: "supervisor.conf", content: supervisorConf },
  ];
  return tarball(files, modifiedAt);
}

export function packageName({ name, version }: ImportedApp): string {
  return `${name}.v${version}.tar.gz`;
}
