/** Where the leading master is: fixed, or followed in ZooKeeper by the nodes json.info_*. */
import { decodeMasterInfo, masterHostPort } from "../mesos/protocol/master-info.ts";
import type { ZooKeeperAddress } from "../zookeeper/connect-string.ts";
import { LeaderDetector } from "../zookeeper/leader-detector.ts";
import { ZooKeeperClient } from "../zookeeper/zookeeper-client.ts";
import type { HostPort, MasterDetector } from "./driver/scheduler-driver.ts";

export const fixedMaster = (current: HostPort): MasterDetector => ({
  current,
  onChange: () => () => undefined,
  close: () => undefined,
});

export function masterInZooKeeper(address: ZooKeeperAddress, log: (line: string) => void): MasterDetector {
  const client = ZooKeeperClient.open({
    servers: address.servers,
    chroot: address.path,
    ...(address.auth === undefined ? {} : { auth: address.auth }),
    log,
  });
  let current: HostPort | undefined;
  const listeners = new Set<() => void>();
  const detector = new LeaderDetector({
    client,
    path: "/",
    prefix: "json.info_",
    log,
    onChange: (leader) => {
      try {
        current = leader === undefined ? undefined : masterHostPort(decodeMasterInfo(leader.content));
      } catch (error) {
        log(
          `the leading master's node cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        );
        current = undefined;
      }
      for (const listener of listeners) listener();
    },
  });
  detector.start();
  return {
    get current() {
      return current;
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      detector.stop();
      void client.close();
    },
  };
}
