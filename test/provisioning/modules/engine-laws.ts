/** The law of modules that need more than a shell: the session's HTTP and TCP, files that are fetched, a new connection. */
interface EngineLaw {
  readonly module: string;
  readonly claim: string;
  /** YAML of the task's arguments: d is a folder, p a port that answers "hello". */
  readonly args: string;
  readonly first: string;
  readonly second: string;
  /** A file of the folder, and its text. */
  readonly leaves?: readonly [string, string];
}

export const engineLaws: readonly EngineLaw[] = [
  {
    module: "get_url",
    claim: "what is there already is not written again",
    args: '{url: "http://127.0.0.1:{{ p }}/x", dest: "{{ d }}/got", mode: "0640"}',
    first: "changed",
    second: "ok",
    leaves: ["got", "hello\n"],
  },
  {
    module: "uri",
    claim: "an answer is kept once",
    args: '{url: "http://127.0.0.1:{{ p }}/x", dest: "{{ d }}/answer"}',
    first: "changed",
    second: "ok",
    leaves: ["answer", "hello\n"],
  },
  {
    module: "fetch",
    claim: "a file that was fetched is not fetched again",
    args: '{src: "{{ d }}/source", dest: "{{ d }}/fetched/", flat: true}',
    first: "changed",
    second: "ok",
    leaves: ["fetched/source", "a file of the host\n"],
  },
  {
    module: "wait_for",
    claim: "what has come is not waited for",
    args: '{port: "{{ p }}", timeout: 5}',
    first: "ok",
    second: "ok",
  },
  {
    module: "wait_for_connection",
    claim: "a host that is there is not waited for",
    args: "{timeout: 5}",
    first: "ok",
    second: "ok",
  },
  {
    module: "async_status",
    claim: "a job that is no longer known need not be cleaned up",
    args: "{jid: j1.1, mode: cleanup}",
    first: "ok",
    second: "ok",
  },
  {
    module: "reboot",
    claim: "a host that tells of another boot is back, one that does not is not",
    args: `{reboot_command: "cp {{ d }}/next {{ d }}/boot", boot_time_command: "cat {{ d }}/boot", reboot_timeout: 4}`,
    first: "changed",
    second: "failed",
  },
];
