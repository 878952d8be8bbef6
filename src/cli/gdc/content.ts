import { UsageError } from "../errors.ts";
import { type GdcCall, isJson, type Procedure, writeJson } from "./procedure.ts";

export const content: Procedure = {
  usage: "content <cik> list | info <id> | download <id> [FILE|-]",
  help: "the content area of the product",
  authorised: true,
  wordsAreValues: false,
  run: async (call) => {
    const [action = "", ...words] = call.words;
    if (call.settings.vendor === undefined) {
      throw new UsageError("of which product? give --product-id ID");
    }
    switch (action) {
      case "list":
        return list(call, words);
      case "info":
        return info(call, words);
      case "download": {
        const { download } = await import("./content-download.ts");
        return download(call, words);
      }
      default:
        throw new UsageError(`usage: gdc ${content.usage}`);
    }
  },
};

async function list(call: GdcCall, words: readonly string[]): Promise<number> {
  if (words.length > 0) throw new UsageError("usage: gdc content <cik> list");
  const ids = await call.api.listContent();
  if (isJson(call)) await writeJson(call, ids);
  else await call.terminal.write(ids.map((id) => `${id}\n`).join(""));
  return 0;
}

async function info(call: GdcCall, words: readonly string[]): Promise<number> {
  const [id, ...more] = words;
  if (!id || more.length > 0) throw new UsageError("usage: gdc content <cik> info <id>");
  const { contentType, sizeBytes, updatedAt, meta } = await call.api.contentInfo(id);
  if (isJson(call)) {
    await writeJson(call, { id, contentType, sizeBytes, updatedAt, meta });
    return 0;
  }
  const updated = new Date(updatedAt * 1000).toISOString().replace(".000", "");
  const lines = [
    ["type", contentType],
    ["bytes", sizeBytes],
    ["updated", updated],
    ["meta", meta],
  ];
  await call.terminal.write(lines.map(([name, value]) => `${name}: ${value}\n`).join(""));
  return 0;
}
