import type { ActivationRequest } from "../../device-client/index.ts";
import { UsageError } from "../errors.ts";
import { type GdcCall, isJson, type Procedure, writeJson } from "./procedure.ts";

export const activate: Procedure = {
  usage: "activate [<vendor> <model>] <serial>",
  help: "activate a device and print its CIK",
  authorised: false,
  wordsAreValues: false,
  run: async (call) => {
    const cik = await call.api.activate(requestOf(call));
    if (isJson(call)) await writeJson(call, { cik });
    else await call.terminal.write(`${cik}\n`);
    return 0;
  },
};

function requestOf({ words, settings }: GdcCall): ActivationRequest {
  const [first, second, third, ...more] = words;
  if (first !== undefined && second !== undefined && third !== undefined && more.length === 0) {
    return { vendor: first, model: second, sn: third };
  }
  if (first === undefined || second !== undefined) throw new UsageError(`usage: gdc ${activate.usage}`);
  const { vendor, model } = settings;
  if (vendor === undefined) {
    throw new UsageError("of which product? give <vendor> <model> <serial>, or --product-id ID");
  }
  return { vendor, model: model ?? vendor, sn: first };
}
