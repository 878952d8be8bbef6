import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "tar";

const examples = join(import.meta.dirname, "..");

/** Packs `docs/examples/<app>` as `<app>.v<version>.tar.gz`, as `tar czf` in that directory would. */
export async function packExample(
  app: string,
  version: string,
  workDirectory: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const directory = mkdtempSync(join(workDirectory, `${app}-`));
  cpSync(join(examples, app), directory, { recursive: true });
  if (app === "heartbeat") {
    const conf = join(directory, "supervisor.conf");
    writeFileSync(
      conf,
      readFileSync(conf, "utf8").replace("heartbeat.sh VERSION", `heartbeat.sh ${version}`),
    );
  }
  const file = join(workDirectory, `${app}.v${version}.tar.gz`);
  await create({ gzip: true, file, cwd: directory, portable: true }, ["."]);
  return new Uint8Array(readFileSync(file));
}
