/** Kept for installers (spec: custom-gateway-applications.md); everything else of the engine's environment is its own. */
const keptNames = new Set(
  [
    "PATH HOME LANG LANGUAGE TZ USER LOGNAME SHELL TERM TMPDIR PYTHONPATH SSL_CERT_FILE SSL_CERT_DIR",
    // So that `gwe --gateway-cik` in a script finds the engine that installs it.
    "GWE_HOME",
    "HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY",
    "http_proxy https_proxy ftp_proxy all_proxy no_proxy",
  ].flatMap((names) => names.split(" ")),
);

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface ScriptMarks {
  readonly job: number;
  readonly directory: string;
  readonly script?: string | undefined;
}

export interface InstallerFacts extends ScriptMarks {
  readonly name: string;
  readonly version: string;
  /** undefined when the app is installed for the first time. */
  readonly previousVersion: string | undefined;
}

/**
 * What the environment of a script's processes has and no other's: other engines on this machine have other
 * directories. Not for packages to rely on. Without `script`, those of all scripts of the job in that directory.
 */
export function scriptMarks({ job, directory, script }: ScriptMarks): Readonly<Record<string, string>> {
  const marks = { GWE_JOB: String(job), GWE_APP_DIR: directory };
  return script === undefined ? marks : { ...marks, GWE_SCRIPT: script };
}

/** The whole environment that an installer gets. */
export function installerEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  facts: InstallerFacts,
): Readonly<Record<string, string>> {
  const kept = Object.entries(environment).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (keptNames.has(entry[0]) || entry[0].startsWith("LC_")),
  );
  return {
    PATH: defaultPath,
    ...Object.fromEntries(kept),
    GWE_APP_NAME: facts.name,
    GWE_APP_VERSION: facts.version,
    ...scriptMarks(facts),
    GWE_PREVIOUS_VERSION: facts.previousVersion ?? "",
  };
}
