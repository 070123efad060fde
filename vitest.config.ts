import { defineConfig } from "vitest/config";

/**
 * unit: pure logic, milliseconds. law: modules on a real sh, real ZooKeeper and HAProxy on loopback.
 * rehearsal: whole hosts in Docker.
 */
const project = (name: string, include: string[], exclude: string[] = [], testTimeout = 10_000) => ({
  test: { name, include, exclude, testTimeout, hookTimeout: testTimeout * 6 },
});

export default defineConfig({
  test: {
    projects: [
      project("architecture", ["test/architecture.test.ts"]),
      project(
        "unit",
        ["test/**/*.test.ts"],
        ["test/**/*.law.test.ts", "test/rehearsal/**", "test/architecture.test.ts"],
      ),
      project("law", ["test/**/*.law.test.ts"], [], 60_000),
      project("rehearsal", ["test/rehearsal/**/*.test.ts"], [], 1_200_000),
    ],
  },
});
