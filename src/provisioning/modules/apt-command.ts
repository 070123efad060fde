/** The command lines of apt-get, and how they are kept from asking, from racing for a lock, from starting services. */
import type { Env, Step } from "../host/step.ts";
import { cleanUpSh } from "./clean-up.ts";

export const aptEnv: Env = {
  DEBIAN_FRONTEND: "noninteractive",
  DEBIAN_PRIORITY: "critical",
  APT_LISTCHANGES_FRONTEND: "none",
  LC_ALL: "C",
};

export interface AptOptions {
  readonly lock_timeout: number;
  readonly dpkg_options: string;
  readonly default_release?: string | undefined;
  readonly install_recommends?: boolean | undefined;
  readonly allow_unauthenticated: boolean;
  readonly allow_downgrade: boolean;
  readonly allow_change_held_packages: boolean;
  readonly force: boolean;
  readonly only_upgrade: boolean;
  readonly fail_on_autoremove: boolean;
  readonly autoremove: boolean;
  readonly purge: boolean;
  readonly policy_rc_d?: number | undefined;
}

const given = (condition: boolean | undefined, ...flags: readonly string[]) =>
  condition === true ? flags : [];

/** `apt-get install …`, `remove`, `upgrade`, … with all the options of the task. */
export function aptGet(
  verb: readonly string[],
  names: readonly string[],
  options: AptOptions,
): readonly string[] {
  const dpkg = options.dpkg_options
    .split(",")
    .filter((option) => option !== "")
    .flatMap((option) => ["-o", `Dpkg::Options::=--${option.replace(/^--/, "")}`]);
  return [
    "apt-get",
    "-y",
    ...dpkg,
    "-o",
    `DPkg::Lock::Timeout=${options.lock_timeout}`,
    ...releaseFlags(options),
    ...given(options.allow_unauthenticated || options.force, "--allow-unauthenticated"),
    ...given(options.allow_downgrade || options.force, "--allow-downgrades"),
    ...given(options.allow_change_held_packages || options.force, "--allow-change-held-packages"),
    ...given(options.force, "--allow-remove-essential"),
    ...given(options.only_upgrade, "--only-upgrade"),
    ...given(options.fail_on_autoremove, "--no-remove"),
    ...given(options.autoremove, "--auto-remove"),
    ...given(options.purge, "--purge"),
    ...verb,
    ...names,
  ];
}

const releaseFlags = (options: AptOptions): readonly string[] => [
  ...(options.default_release === undefined ? [] : ["-t", options.default_release]),
  ...(options.install_recommends === undefined
    ? []
    : ["-o", `APT::Install-Recommends=${options.install_recommends ? "yes" : "no"}`]),
];

/** invoke-rc.d asks /usr/sbin/policy-rc.d whether it may start a service; one that was there is put back. */
const policySh = `p=/usr/sbin/policy-rc.d; old=
if [ -e "$p" ]; then old=$(mktemp "$p.XXXXXX") && mv -f -- "$p" "$old" || exit 1; fi
${cleanUpSh('rm -f -- "$p"; [ -z "$old" ] || mv -f -- "$old" "$p"')}
printf '#!/bin/sh\\nexit %s\\n' "$1" >"$p" && chmod 755 "$p" || exit 1
shift; "$@"`;

export function aptStep(
  why: string,
  argv: readonly string[],
  options: AptOptions,
): Step & { readonly do: "run" } {
  const policy = options.policy_rc_d;
  const full = policy === undefined ? argv : ["sh", "-c", policySh, "sh", String(policy), ...argv];
  return { do: "run", why, argv: full, env: aptEnv };
}

/** The lists have a lock that apt-get does not wait for, and mirrors have bad moments: a few tries, further apart. */
const updateSh = `n=0; wait=1
while :; do
  apt-get -o APT::Update::Error-Mode=any -o DPkg::Lock::Timeout="$3" update && exit 0
  n=$((n+1)); [ "$n" -lt "$1" ] || exit 100
  sleep "$wait"; wait=$((wait*2)); [ "$wait" -le "$2" ] || wait=$2
done`;

export interface UpdateOptions {
  readonly lock_timeout: number;
  readonly update_cache_retries: number;
  readonly update_cache_retry_max_delay: number;
}

export const updateStep = (options: UpdateOptions): Step => ({
  do: "run",
  why: "update the package lists",
  argv: [
    "sh",
    "-c",
    updateSh,
    "sh",
    String(Math.max(1, options.update_cache_retries)),
    String(options.update_cache_retry_max_delay),
    String(options.lock_timeout),
  ],
  env: aptEnv,
});

/**
 * Who holds a lock that apt-get needs, as `held PID NAME`. A lock of /proc/locks is told by the number of its file; that
 * it is this file, and not one of that number elsewhere, only root can see.
 */
const heldSh = `f='/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock'
i=" $(stat -c %i -- $f 2>/dev/null | tr '\\n' ' ')"
[ ! -r /proc/locks ] || while read -r _ kind _ mode pid place _; do
  [ "$kind$mode" = POSIXWRITE ] || continue
  case $i in *" \${place##*:} "*) ;; *) continue ;; esac
  ls -l "/proc/$pid/fd" 2>/dev/null | grep -qE ' /var/(lib/dpkg|lib/apt/lists|cache/apt/archives)/lock(-frontend)?$' || continue
  read -r name <"/proc/$pid/comm"; echo "held $pid $name"; break
done </proc/locks`;

/** "process 4711 (unattended-upgr)" of the lines that listsSh gives. */
export const holderOf = (lines: readonly string[]): string | undefined =>
  lines
    .map((line) => /^held (\d+) (.*)$/.exec(line))
    .map((found) => found && `process ${found[1]} (${found[2]})`)
    .find(Boolean) ?? undefined;

/** Number of package lists, then when they were last fetched (seconds since the epoch, 0: never). */
export const listsSh = `n=0; for f in /var/lib/apt/lists/*_Packages* /var/lib/apt/lists/*_Sources*; do [ -e "$f" ] && n=$((n+1)); done
echo "$n"
for f in /var/lib/apt/periodic/update-success-stamp /var/lib/apt/lists; do
  [ -e "$f" ] && stat -c %Y -- "$f"
done | sort -n | tail -n 1
${heldSh}`;

/**
 * What apt-get would do, a line each: Inst NAME …, Remv NAME …, Purg NAME …; or why it would not, as "E: …". And how
 * many they are: "1 upgraded, 0 newly installed, …".
 */
export const simulateSh = `"$@" 2>&1 | grep -E '^(Inst |Remv |Purg |E: |[0-9]+ upgraded, )'; exit 0`;

/** The same command line, only thought through: needs no lock and no root. */
export const simulated = (argv: readonly string[]): readonly string[] => {
  const [program = "apt-get", ...rest] = argv;
  return ["env", "LC_ALL=C", program, "-s", "-o", "Debug::NoLocking=true", ...rest];
};
