import { defineConfig } from "vitest/config";

interface Tier {
  readonly name: string;
  readonly include: string[];
  readonly exclude?: string[];
  readonly testTimeout: number;
  /**
   * Tiers run one after another in this order; files of one tier side by side. From 1: on two cores vitest has one
   * worker, and then puts what stands at 0 behind all the rest.
   */
  readonly groupOrder: number;
}

const tier = ({ name, include, exclude = [], testTimeout, groupOrder }: Tier) => ({
  test: {
    name,
    include,
    exclude,
    testTimeout,
    hookTimeout: testTimeout * 6,
    sequence: { groupOrder },
    ...(name === "rehearsal" ? { fileParallelism: false } : {}),
  },
});

/**
 * unit: pure logic, milliseconds. law: real sh, sshd, ZooKeeper and HAProxy on loopback. rehearsal: whole hosts in
 * Docker.
 */
export default defineConfig({
  test: {
    reporters: ["default", "./test/support/closing-line-reporter.ts"],
    projects: [
      tier({
        name: "architecture",
        include: ["test/architecture.test.ts"],
        testTimeout: 10_000,
        groupOrder: 1,
      }),
      tier({
        name: "unit",
        include: ["test/**/*.test.ts"],
        exclude: ["test/**/*.law.test.ts", "test/rehearsal/**", "test/architecture.test.ts"],
        testTimeout: 10_000,
        groupOrder: 1,
      }),
      tier({ name: "law", include: ["test/**/*.law.test.ts"], testTimeout: 60_000, groupOrder: 2 }),
      tier({
        name: "rehearsal",
        include: ["test/rehearsal/**/*.test.ts"],
        testTimeout: 1_200_000,
        groupOrder: 3,
      }),
    ],
  },
});
