export { NotSupervisedError, SupervisorConfError, UnknownAppError } from "./errors.ts";
export type { LogDaemonSettings } from "./logd/keeper.ts";
export { supervisorAfterSalvage, supervisorMigrations } from "./migrations.ts";
export {
  Pm2Adapter,
  type Pm2AdapterDependencies,
  Pm2DaemonProcess,
  type Pm2DaemonSettings,
  type Pm2Port,
  removeAll,
} from "./pm2/index.ts";
export type { ProcessControl } from "./process-control.ts";
export { Supervisor, type SupervisorDependencies } from "./supervisor.ts";
export { parseSupervisorConf, type SupervisorConf } from "./supervisor-conf/index.ts";
export type { SupervisorSystem } from "./system.ts";
export { statusesWithoutEngine } from "./without-engine.ts";
