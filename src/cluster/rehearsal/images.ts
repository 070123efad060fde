/**
 * The two images of a rehearsal, built once and reused: a bare host, and the app that it serves. The tag is a hash of
 * the recipe, so a changed recipe is built anew. Base: ubuntu:24.04 where a registry answers, otherwise the
 * distribution of this machine through debootstrap.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ProvisionError } from "../../base/errors.ts";
import { packageRoot } from "../../base/package-root.ts";
import { ProgramFailed, runProgram } from "../runtime/run-program.ts";
import type { Say } from "./say.ts";

export const registryImage = "ubuntu:24.04";
const registryTimeoutMs = 300_000;
const registryProbeMs = 8_000;
const sbinPath = "/usr/local/sbin:/usr/sbin:/sbin";

export const helloImage = "provision/hello";

const recipe = (name: string): string => join(packageRoot, "src", "cluster", "rehearsal", name);

async function recipeTag(...folders: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of folders) {
    for (const file of (await readdir(folder)).sort())
      hash.update(file).update(await readFile(join(folder, file)));
  }
  return hash.digest("hex").slice(0, 12);
}

/** The name of the host image; built when it is not there. */
export async function ensureHostImage(say: Say): Promise<string> {
  const folder = recipe("host-image");
  const image = `provision/host:${await recipeTag(folder)}`;
  if (await imageExists(image)) return image;
  const base = (await pullBase(say)) ?? (await debootstrapBase(say));
  say(`building the host image ${image} (about a minute, once)`);
  await build({ folder, image, args: { BASE: base } });
  return image;
}

/** Builds `provision/hello` when it is missing or of an older recipe. */
export async function ensureHelloImage(hostImage: string, say: Say): Promise<void> {
  const folder = recipe("hello-image");
  const tagged = `${helloImage}:${await recipeTag(folder)}`;
  if (!(await imageExists(tagged))) {
    say(`building the app's image ${helloImage}`);
    await build({ folder, image: tagged, args: { HOST: hostImage } });
  }
  await docker(["tag", tagged, `${helloImage}:latest`]);
}

interface Build {
  readonly folder: string;
  readonly image: string;
  readonly args: Readonly<Record<string, string>>;
}

async function build({ folder, image, args }: Build): Promise<void> {
  const buildArgs = Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
  await docker(["build", "--quiet", "--tag", image, ...buildArgs, folder]);
}

async function docker(args: readonly string[]): Promise<string> {
  try {
    return await runProgram("docker", args, { env: { ...process.env, DOCKER_BUILDKIT: "0" } });
  } catch (cause) {
    throw failed(`docker ${args[0]}`, cause);
  }
}

async function imageExists(image: string): Promise<boolean> {
  return (await runProgram("docker", ["image", "ls", "--quiet", image])).trim() !== "";
}

async function pullBase(say: Say): Promise<string | undefined> {
  if (await imageExists(registryImage)) return registryImage;
  say(`looking for the base image ${registryImage} in the registry`);
  try {
    await runProgram("docker", ["manifest", "inspect", registryImage], {
      signal: AbortSignal.timeout(registryProbeMs),
    });
    await runProgram("docker", ["pull", "--quiet", registryImage], {
      signal: AbortSignal.timeout(registryTimeoutMs),
    });
    return registryImage;
  } catch (error) {
    say(
      `no registry answers (${reasonOf(error)}): building the base image with debootstrap (about a minute, once)`,
    );
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof ProgramFailed) return (error.output.split("\n").at(-1) ?? "").slice(0, 120);
  return error instanceof Error ? error.message : String(error);
}

async function debootstrapBase(say: Say): Promise<string> {
  const { codename, mirror } = await distribution();
  const image = `provision/base:${codename}`;
  if (await imageExists(image)) return image;
  await ensureDebootstrap(say);
  const folder = await mkdtemp("/var/tmp/provision-base-");
  const env = { ...process.env, PATH: `${process.env.PATH ?? ""}:${sbinPath}` };
  try {
    await runProgram("debootstrap", ["--variant=minbase", codename, folder, mirror], { env });
    await runProgram("sh", ["-c", 'tar -C "$1" -c . | docker import - "$2"', "sh", folder, image]);
  } catch (cause) {
    throw failed("debootstrap", cause);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return image;
}

async function ensureDebootstrap(say: Say): Promise<void> {
  const fix = "sudo apt-get install debootstrap";
  if (process.getuid?.() !== 0) {
    throw new ProvisionError({
      code: "no-docker",
      action: "build the base image of the rehearsal",
      state: `no registry has "${registryImage}" for us, and debootstrap needs root`,
      why: "the hosts of a rehearsal start from an image: pulled, or else built by debootstrap",
      fix: "sudo ./provision rehearse",
    });
  }
  if (existsSync("/usr/sbin/debootstrap")) return;
  say("installing debootstrap from the distribution");
  try {
    await runProgram("apt-get", ["-qq", "install", "-y", "--no-install-recommends", "debootstrap"]);
  } catch (cause) {
    throw failed(`apt-get install debootstrap (try: ${fix})`, cause);
  }
}

/** Which release this machine runs, and the mirror that its apt uses for it. */
async function distribution(): Promise<{ codename: string; mirror: string }> {
  const release = await readFile("/etc/os-release", "utf8");
  const codename = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(release)?.[1] ?? "";
  const printed = await runProgram("apt-get", [
    "indextargets",
    "--format",
    "$(REPO_URI)",
    `Codename: ${codename}`,
  ]);
  const mirror = printed.split("\n").find((line) => line.startsWith("http"));
  if (codename === "" || mirror === undefined) {
    throw new ProvisionError({
      code: "no-docker",
      action: "build the base image of the rehearsal",
      state: `apt knows no mirror for the release "${codename}" of this machine`,
      why: "without a registry the base image is built by debootstrap, from the mirror that apt uses",
      fix: "sudo apt-get update",
    });
  }
  return { codename, mirror };
}

function failed(what: string, cause: unknown): ProvisionError {
  const output = cause instanceof ProgramFailed ? `:\n${cause.output.split("\n").slice(-15).join("\n")}` : "";
  return new ProvisionError({
    code: "no-docker",
    action: "build the images of the rehearsal",
    state: `${what} failed${output}`,
    cause,
  });
}
