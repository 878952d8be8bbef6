import { classifyFailure } from "../core/api-failure.ts";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { DeviceApi } from "../device-client/index.ts";
import type { Credentials } from "./credentials.ts";

/**
 * The Device API of a device that heals its own authorisation: a 401 activates again at once and repeats the
 * request, within the same call (spec: gateway-engine.md, check-in loop 2). When activation is refused too, the call
 * rejects with its own 401, when it failed for a passing reason with that; the CIK at hand is kept: one false 401 must
 * not orphan a gateway.
 */
export function reactivatingApi(api: DeviceApi, credentials: Credentials, logger: Logger): DeviceApi {
  const healing = async <T>(call: () => Promise<T>): Promise<T> => {
    const usedCik = credentials.current();
    try {
      return await call();
    } catch (error) {
      if (classifyFailure(error).kind !== "unauthorized" || !credentials.canBeRenewed) throw error;
      // Another call may have brought a new CIK while this one was on its way.
      if (credentials.current() === usedCik) {
        try {
          await credentials.activate();
        } catch (refusal) {
          logger.warn("Murano refused the CIK and gave no new one", { reason: describeError(refusal) });
          // A link that failed meanwhile says when to try again; a refusal says less than the 401 itself.
          const { kind } = classifyFailure(refusal);
          throw kind === "transient" || kind === "rate-limited" ? refusal : error;
        }
      }
      return await call();
    }
  };
  return {
    write: (values, options) => healing(() => api.write(values, options)),
    read: (aliases, options) => healing(() => api.read(aliases, options)),
    writeRead: (values, aliases, options) => healing(() => api.writeRead(values, aliases, options)),
    longPoll: (alias, options) => healing(() => api.longPoll(alias, options)),
    record: (series, options) => healing(() => api.record(series, options)),
    recordAlias: (alias, points, options) => healing(() => api.recordAlias(alias, points, options)),
    rpc: (calls, options) => healing(() => api.rpc(calls, options)),
    readHistory: (alias, options) => healing(() => api.readHistory(alias, options)),
    listContent: (options) => healing(() => api.listContent(options)),
    contentInfo: (id, options) => healing(() => api.contentInfo(id, options)),
    download: (request, options) => healing(() => api.download(request, options)),
    activate: (request, options) => api.activate(request, options),
    timestamp: (options) => api.timestamp(options),
  };
}
