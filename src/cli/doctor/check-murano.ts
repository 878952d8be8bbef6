import { engineAliases } from "../../core/dataports.ts";
import { describeError, GweError } from "../../core/errors.ts";
import type { OpenDevice } from "../device.ts";
import { explainFailure } from "./explain-failure.ts";
import { type Finding, fault, note, ok } from "./finding.ts";

/** Whether Murano knows this gateway, and its product has what the engine reads and writes. */
export async function checkMurano(device: OpenDevice, server: string): Promise<readonly Finding[]> {
  const signal = AbortSignal.timeout(30_000);
  try {
    await device.api.read(["update_interval"], { signal });
  } catch (error) {
    if (error instanceof GweError && error.code === "UNAUTHORIZED") {
      return [
        fault(
          "murano",
          "Murano does not accept this gateway's CIK (401)",
          "the engine activates again by itself; if that is refused, enable the device in Murano, then 'gwe check-in'",
        ),
      ];
    }
    return [explainFailure(error, server)];
  }
  return [ok("murano", "Murano knows this gateway"), await checkAliases(device, signal)];
}

/** A missing alias is no error to Murano: what is written there is gone, and nobody is told. */
async function checkAliases(device: OpenDevice, signal: AbortSignal): Promise<Finding> {
  try {
    const results = await device.api.rpc(
      engineAliases.map((alias) => ({ procedure: "lookup", arguments: ["alias", alias] })),
      { signal },
    );
    const missing = engineAliases.filter((_, index) => results[index]?.status !== "ok");
    if (missing.length === 0) return ok("murano", "the product has all of the engine's aliases");
    return fault(
      "murano",
      `the product lacks ${missing.join(", ")}: what is written there is lost`,
      "create them in the product: specs/gwe.spec of the release lists all",
    );
  } catch (error) {
    return note(
      "murano",
      `whether the product has the engine's aliases could not be asked (${describeError(error)})`,
    );
  }
}
