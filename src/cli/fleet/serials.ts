import { readFileSync } from "node:fs";
import { parseCsv } from "../../core/csv.ts";
import { CommandError, UsageError } from "../errors.ts";
import { type FleetCommand, forEachOf, writeResult } from "./fleet-call.ts";

export const add: FleetCommand = {
  usage: "add PRODUCT FILE.csv [--enable]",
  help: "serials in bulk: one <serial>[,<tags>] a line ('-': stdin)",
  run: async (call) => {
    const [product, file, ...more] = call.words;
    if (product === undefined || file === undefined || more.length > 0) {
      throw new UsageError(`usage: gwe fleet ${add.usage}`);
    }
    const wanted = serialsIn(file === "-" ? await call.terminal.readStdin() : textOf(file), file);
    const known = new Set((await call.owner.serials(product)).map(({ sn }) => sn));
    const fresh = wanted.filter(({ sn }) => !known.has(sn));
    await call.owner.addSerials(product, fresh);
    // One that is there already may be in the field: enabling it would void its CIK.
    if (call.options.has("enable")) await forEachOf(fresh, ({ sn }) => call.owner.enable(product, sn));
    const there = wanted.length - fresh.length;
    await writeResult(call, { added: fresh.map(({ sn }) => sn), known: there }, () => {
      return `${fresh.length} added${there === 0 ? "" : `, ${there} were there already and are left as they are`}\n`;
    });
    return 0;
  },
};

export const enable: FleetCommand = {
  usage: "enable PRODUCT SERIAL",
  help: "void its CIK and open activation, for 24 hours",
  run: async (call) => {
    const [product, sn, ...more] = call.words;
    if (product === undefined || sn === undefined || more.length > 0) {
      throw new UsageError(`usage: gwe fleet ${enable.usage}`);
    }
    await call.owner.enable(product, sn);
    const serial = await call.owner.serial(product, sn);
    await writeResult(call, serial, () => `${sn} may be activated\n`);
    return 0;
  },
};

export const swap: FleetCommand = {
  usage: "swap PRODUCT OLD_SERIAL NEW_SERIAL",
  help: "new hardware takes over the old one's place: its dataports, history and waiting command",
  run: async (call) => {
    const [product, oldSn, newSn, ...more] = call.words;
    if (product === undefined || oldSn === undefined || newSn === undefined || more.length > 0) {
      throw new UsageError(`usage: gwe fleet ${swap.usage}`);
    }
    if (oldSn === newSn) throw new UsageError("the old serial and the new one are the same");
    const serials = await call.owner.serials(product);
    if (!serials.some(({ sn }) => sn === newSn)) {
      // With it the tags: they tell of the place, not of the box.
      const extra = serials.find(({ sn }) => sn === oldSn)?.extra ?? "";
      await call.owner.addSerials(product, [{ sn: newSn, extra }]);
    }
    await call.owner.enable(product, newSn, oldSn);
    const serial = await call.owner.serial(product, newSn);
    await writeResult(call, serial, () => `${newSn} has taken the place of ${oldSn}, and may be activated\n`);
    return 0;
  },
};

/** @throws CommandError naming the line */
function serialsIn(text: string, file: string): { readonly sn: string; readonly extra: string }[] {
  const rows = parseCsv(text);
  if (rows === undefined) throw new CommandError(`${file} is no CSV: a quote does not close`);
  const serials = new Map<string, { sn: string; extra: string }>();
  for (const [index, [sn = "", extra = "", ...more]] of rows.entries()) {
    const place = `${file}, row ${index + 1}`;
    if (sn.trim() === "") throw new CommandError(`${place}: the serial is empty`);
    if (more.length > 0) throw new CommandError(`${place}: expected <serial>[,<text>]`);
    if (serials.has(sn.trim())) throw new CommandError(`${place}: ${sn} comes twice`);
    serials.set(sn.trim(), { sn: sn.trim(), extra });
  }
  if (serials.size === 0) throw new CommandError(`${file} holds no serial`);
  return [...serials.values()];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new CommandError(`cannot read ${file} (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
}
