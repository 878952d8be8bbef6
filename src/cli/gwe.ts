import { cikIn } from "../core/cik.ts";
import { IniDocument } from "../core/ini.ts";
import { pathsUnder } from "../core/paths.ts";

// Apps' scripts call `gwe --gateway-cik` in tight loops: it loads nothing but this file and answers at once.
// Whatever is out of the ordinary goes the long way, which can explain it. An import of node:fs would load its streams
// too, which takes longer than all else that happens here.
const [first, ...rest] = process.argv.slice(2);
const asksForCik = rest.length === 0 && (first === "--gateway-cik" || first === "-C");
if (!asksForCik || !printCik()) {
  const { main } = await import("./gwe-command.ts");
  await main();
}

function printCik(): boolean {
  const fs = process.getBuiltinModule("node:fs");
  let text: string;
  try {
    text = fs.readFileSync(pathsUnder(process.env.GWE_HOME || null).gatewayCfg, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return false;
    text = "";
  }
  const cik = cikIn(IniDocument.parse(text));
  if (cik === undefined) return false;
  try {
    fs.writeSync(1, `${cik || "''"}\n`);
  } catch {
    // A full disk, a reader that has gone, a pipe that would block: the long way waits, or says what is wrong.
    return false;
  }
  return true;
}
