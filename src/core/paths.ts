/** Where one engine keeps everything (docs/configuration.md, "Files and directories"). All absolute. */
export interface Paths {
  /** `GWE_HOME`, or null for an installed gateway. */
  readonly home: string | null;
  readonly etcDir: string;
  readonly libDir: string;
  readonly logDir: string;
  readonly runDir: string;
  readonly gatewayCfg: string;
  readonly engineConfig: string;
  /** The queue's settings, and what it logs. */
  readonly gmqCfg: string;
  readonly loggingCfg: string;
  /** Held while a configuration file is read, changed and written back. */
  readonly configLock: string;
  /** Public keys whose signatures on packages are trusted, and the list of revoked ones (docs/signing.md). */
  readonly keysDir: string;
  readonly gatewayDb: string;
  readonly queueDb: string;
  /** Space that the queue sets aside for a full disk. */
  readonly queueReserve: string;
  /** pm2's own `PM2_HOME`. */
  readonly pm2Home: string;
  /** Installed apps, one directory each. */
  readonly appsDir: string;
  /** Downloaded packages. */
  readonly packagesDir: string;
  /** What comes of the installers that run. */
  readonly scriptsDir: string;
  readonly controlSocket: string;
  /** The queue's local API, besides its port, and the port in decimal. */
  readonly queueSocket: string;
  readonly queuePort: string;
  readonly engineLock: string;
  readonly engineLog: string;
}

/** @param home the directory that holds one engine's everything; null for an installed gateway */
export function pathsUnder(home: string | null): Paths {
  const etcDir = home === null ? "/etc/gateway-engine" : `${home}/etc`;
  const libDir = home === null ? "/var/lib/gateway-engine" : `${home}/lib`;
  const logDir = home === null ? "/var/log" : `${home}/log`;
  const runDir = home === null ? "/run/gateway-engine" : `${home}/run`;
  return Object.freeze({
    home,
    etcDir,
    libDir,
    logDir,
    runDir,
    gatewayCfg: `${etcDir}/Gateway.cfg`,
    engineConfig: `${etcDir}/Engine.config`,
    gmqCfg: `${etcDir}/gmq.cfg`,
    loggingCfg: `${etcDir}/logging.cfg`,
    configLock: `${etcDir}/.lock`,
    keysDir: `${etcDir}/keys`,
    gatewayDb: `${libDir}/gateway.db`,
    queueDb: `${libDir}/queue.db`,
    queueReserve: `${libDir}/queue.reserve`,
    pm2Home: `${libDir}/pm2`,
    appsDir: `${libDir}/apps`,
    packagesDir: `${libDir}/packages`,
    scriptsDir: `${libDir}/scripts`,
    controlSocket: `${runDir}/gwe.sock`,
    queueSocket: `${runDir}/gmq.sock`,
    queuePort: `${runDir}/gmq.port`,
    engineLock: `${runDir}/gwe.lock`,
    engineLog: `${logDir}/gwe.log`,
  });
}
