import { CikStore, type Paths } from "../config/index.ts";
import { configIo } from "./config-io.ts";

/** The gateway's CIK in `Gateway.cfg`, written through the durable adapters. */
export function openCikStore(paths: Paths): CikStore {
  return new CikStore({ paths, io: configIo });
}
