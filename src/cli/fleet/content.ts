import { createReadStream, statSync } from "node:fs";
import { basename } from "node:path";
import { parsePackageName } from "../../core/package-name.ts";
import { formatBytes } from "../bytes.ts";
import { CommandError, UsageError } from "../errors.ts";
import { table } from "../status-text.ts";
import { OwnerConflictError } from "./errors.ts";
import { type FleetCall, type FleetCommand, forEachOf, optionOf, writeResult } from "./fleet-call.ts";

export const content: FleetCommand = {
  usage: "content list PRODUCT | upload PRODUCT FILE... [--meta TEXT] | remove PRODUCT ID...",
  help: "packages in a product's content area",
  run: async (call) => {
    const [action, product, ...names] = call.words;
    if (product === undefined) throw new UsageError(`usage: gwe fleet ${content.usage}`);
    if (action === "list" && names.length === 0) return await list(call, product);
    if (action === "upload" && names.length > 0) {
      for (const file of names) await upload(call, product, file, optionOf(call, "meta") ?? "");
      await writeResult(
        call,
        names.map((file) => basename(file)),
        () => "",
      );
      return 0;
    }
    if (action === "remove" && names.length > 0) {
      for (const id of names) await call.owner.removeContent(product, id);
      await writeResult(call, names, () => "");
      return 0;
    }
    throw new UsageError(`usage: gwe fleet ${content.usage}`);
  },
};

async function list(call: FleetCall, product: string): Promise<number> {
  const ids = await call.owner.contents(product);
  const contents = await forEachOf(ids, (id) => call.owner.content(product, id));
  await writeResult(call, contents, () => {
    const rows = contents.map(({ id, sizeBytes, updatedAt, meta, protected: isProtected }) => [
      id,
      formatBytes(sizeBytes),
      new Date(updatedAt * 1000).toISOString().slice(0, 19).replace("T", " "),
      isProtected ? "yes" : "",
      meta,
    ]);
    return `${table(["ID", "SIZE", "UPDATED (UTC)", "PROTECTED", "META"], rows).join("\n")}\n`;
  });
  return 0;
}

/** Creates the content if it is not there, and uploads the file as its blob. */
export async function upload(call: FleetCall, product: string, file: string, meta: string): Promise<void> {
  const id = basename(file);
  // Whoever uploads a package under a name that no gateway takes finds out here.
  parsePackageName(id);
  let sizeBytes: number;
  try {
    sizeBytes = statSync(file).size;
  } catch (cause) {
    throw new CommandError(`cannot read ${file} (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
  try {
    await call.owner.createContent(product, id, meta);
  } catch (error) {
    if (!(error instanceof OwnerConflictError)) throw error;
  }
  await call.owner.uploadContent(product, id, { body: createReadStream(file), sizeBytes });
  call.terminal.note(`gwe: ${product}: uploaded ${id} (${formatBytes(sizeBytes)})`);
}
