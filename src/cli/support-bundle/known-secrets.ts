import { existsSync, readFileSync } from "node:fs";
import type { Paths } from "../../config/index.ts";
import { IniDocument } from "../../core/ini.ts";

/** Every CIK that this gateway's files hold: its own, the one before a change of settings, those of the queue. */
export async function knownSecrets({ gatewayCfg, etcDir, queueDb }: Paths): Promise<readonly string[]> {
  const files = [gatewayCfg, `${etcDir}/.cik-before-configure`].filter((file) => existsSync(file));
  const texts = files.map((file) => readFileSync(file, "latin1"));
  const written = texts.flatMap((text) => {
    const inFile = IniDocument.parse(text)
      .entries.filter(({ key }) => key === "cik")
      .map(({ value }) => value);
    return [...inFile, ...(text.match(/[0-9a-zA-Z]{40}/g) ?? [])];
  });
  // Two quotes stand for none.
  return [...written, ...(await queueCiks(queueDb))].filter((secret) => secret.length >= 8);
}

async function queueCiks(file: string): Promise<readonly string[]> {
  if (!existsSync(file)) return [];
  const { openReadOnly } = await import("../../platform/sqlite.ts");
  const db = openReadOnly(file);
  try {
    return db.prepare<[], string>("SELECT cik FROM ciks").pluck().all();
  } finally {
    db.close();
  }
}
