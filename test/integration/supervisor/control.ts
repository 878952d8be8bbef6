import { silentLogger } from "../../../src/core/logger.ts";
import { ControlServer, type ControlTarget } from "../../../src/daemon/control-server.ts";
import { EngineProcesses } from "../../../src/daemon/engine-processes.ts";
import type { Supervisor } from "../../../src/supervisor/index.ts";
import { engineStatus } from "../../support/control-server.ts";
import type { Gateway } from "./harness.ts";

/** Opens the control socket of a gateway, for `supervisorctl`. @returns what closes it */
export async function controlOf(gateway: Gateway, supervisor: Supervisor): Promise<() => Promise<void>> {
  const gwe = {
    group: "gwe",
    name: "gwe",
    state: "RUNNING",
    pid: process.pid,
    autostart: true,
    priority: 999,
  } as const;
  const target = {
    status: async () => engineStatus(),
    processes: new EngineProcesses({ control: supervisor.control, parts: () => [gwe] }),
  };
  const server = new ControlServer({
    socketPath: gateway.path("run/gwe.sock"),
    groupId: undefined,
    queue: undefined,
    logger: silentLogger,
    // Whatever else the socket offers is not asked for here.
    target: target as Pick<ControlTarget, keyof typeof target> as ControlTarget,
  });
  await server.start();
  return () => server.stop();
}
