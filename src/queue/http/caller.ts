import type { IncomingHttpHeaders } from "node:http";
import { isCik } from "../../core/cik.ts";
import type { Caller, Vms } from "../types.ts";
import { RequestProblem } from "./problem.ts";
import { Remembered } from "./remembered.ts";

const word = /^[\x21-\x7e]{1,100}$/;
const serial = /^[\x21-\x7e]([\x20-\x7e]{0,98}[\x21-\x7e])?$/;
/** What becomes of a header that comes twice: the second is no part of a serial number. */
const joined = /, \S+ +\S+ +\S/;
const vmsHeader = /^(\S+) +(\S+) +(\S.*)$/;

/** Finds out who is asking. */
export class Callers {
  private readonly byVms = new Remembered(parseVms);

  /** VMS wins when both come (spec: gmq.md). @throws RequestProblem 401 for nobody, 400 for nonsense */
  of(headers: IncomingHttpHeaders): Caller {
    const vms = headers["x-exosite-vms"];
    if (typeof vms === "string") return this.byVms.of(vms);
    const cik = headers["x-exosite-cik"];
    if (typeof cik !== "string") {
      throw new RequestProblem(401, "X-Exosite-VMS or X-Exosite-CIK must tell who is asking");
    }
    if (!isCik(cik)) throw new RequestProblem(400, "expected X-Exosite-CIK: 40 letters and digits");
    return { kind: "cik", cik };
  }
}

function parseVms(header: string): Caller {
  const [, vendor, model, sn] = vmsHeader.exec(header.trim()) ?? [];
  const checked = checkVms(vendor, model, sn);
  if (checked !== undefined && !joined.test(header)) return { kind: "vms", ...checked };
  throw new RequestProblem(400, "expected X-Exosite-VMS: <VENDOR> <MODEL> <SERIAL>, in ASCII");
}

/** @returns undefined where one is missing or cannot travel in a header */
export function checkVms(vendor?: string, model?: string, sn?: string): Vms | undefined {
  if (vendor === undefined || model === undefined || sn === undefined) return undefined;
  return word.test(vendor) && word.test(model) && serial.test(sn) ? { vendor, model, sn } : undefined;
}
