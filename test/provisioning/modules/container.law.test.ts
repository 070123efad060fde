import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { HostFacts } from "../../../src/provisioning/host/facts.ts";
import { lawCases, obey } from "./law-case.ts";
import { LocalHost, localFacts } from "./local-host.ts";

/**
 * What changes more than a folder: packages, users, services, sources, mounts. In containers of the rehearsal's images,
 * without a network. `provision rehearse` builds the images; without them these tests are skipped.
 */
interface Place {
  readonly title: string;
  readonly image: string;
  readonly cases: string;
  readonly serviceManager: HostFacts["base"]["serviceManager"];
  /** Packages come over the network; where the mirror does not answer, these tests are skipped. */
  readonly needsMirror?: boolean;
  readonly options: readonly string[];
  readonly command: readonly string[];
  /** Succeeds when the container may be used. */
  readonly ready: string;
}

/** Without SYS_TIME: timedatectl in a container would set the clock of the machine that runs these tests. */
const systemdOptions = [
  "--cap-add=ALL",
  "--cap-drop=SYS_RESOURCE",
  "--cap-drop=SYS_TIME",
  "--security-opt=seccomp=unconfined",
  "--security-opt=apparmor=unconfined",
  "--volume=/sys/fs/cgroup:/sys/fs/cgroup",
  "--cgroupns=host",
  "--tmpfs=/run:rw,exec",
  "--tmpfs=/run/lock",
  "--tmpfs=/tmp:rw,exec",
];

const places: readonly Place[] = [
  {
    title: "in a container",
    image: "provision/base",
    cases: "container",
    serviceManager: "none",
    options: [],
    command: ["sleep", "900"],
    ready: "true",
  },
  {
    title: "in a container with cron and ufw, from the distribution's mirror",
    image: "provision/base",
    cases: "more-packages",
    serviceManager: "none",
    needsMirror: true,
    options: ["--cap-add=NET_ADMIN"],
    command: ["sleep", "900"],
    ready:
      "apt-get -qq -o APT::Update::Error-Mode=any update && apt-get -qq install -y --no-install-recommends cron ufw iptables procps >/dev/null",
  },
  {
    title: "in a container with systemd",
    image: "provision/host",
    cases: "systemd-host",
    serviceManager: "systemd",
    options: systemdOptions,
    command: ["/sbin/init"],
    ready:
      "n=0; until systemctl is-system-running 2>&1 | grep -qE 'running|degraded'; do n=$((n+1)); [ $n -lt 300 ] || exit 1; sleep 0.2; done",
  },
];

const readyLimitMs = 180_000;

const docker = (...words: readonly string[]) => execFileSync("docker", words, { encoding: "utf8" }).trim();

function imageOf(repository: string): string | undefined {
  const found = spawnSync("docker", ["images", repository, "--format", "{{.Repository}}:{{.Tag}}"], {
    encoding: "utf8",
  });
  return found.status === 0 ? found.stdout.split("\n").find((line) => line !== "") : undefined;
}

describe.each(places)("$title", (place) => {
  const image = imageOf(place.image);
  const root = mkdtempSync(join(tmpdir(), "provision-law-"));
  let container = "";
  let isReady = true;

  beforeAll(() => {
    if (image === undefined) return;
    const network = place.needsMirror === true ? "bridge" : "none";
    container = docker("run", "-d", "--rm", "--network", network, ...place.options, image, ...place.command);
    const { status } = spawnSync("docker", ["exec", container, "sh", "-c", place.ready]);
    isReady = status === 0;
    if (!isReady && place.needsMirror !== true) throw new Error(`the container is not ready: ${place.ready}`);
  }, readyLimitMs);
  afterAll(() => {
    if (container !== "") docker("rm", "-f", container);
    rmSync(root, { recursive: true, force: true });
  });

  const why = image === undefined ? ` (skipped: no image ${place.image})` : "";
  describe.skipIf(image === undefined).each([...lawCases(place.cases)])(`%s${why}`, (module, cases) => {
    test.for(cases.map((law, index) => ({ ...law, index })))("$claim", async (law, { skip }) => {
      if (!isReady) skip("the distribution's mirror does not answer");
      const facts = localFacts("/root");
      const host = new LocalHost({
        shell: ["docker", "exec", "-i", container, "sh"],
        facts: { ...facts, base: { ...facts.base, uid: 0, serviceManager: place.serviceManager } },
      });
      const folder = `/case/${module}-${law.index}`;
      await obey(law, { host, module, folder, controllerFolder: join(root, `${module}-${law.index}`) });
    });
  });
});
