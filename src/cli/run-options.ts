/** The options of everything that runs tasks, and what they mean to the engine. */
import type { OptionSpec } from "./parse-options.ts";

export const connectionOptions: readonly OptionSpec[] = [
  { long: "user", short: "u", aliases: ["remote-user"], takes: "NAME", help: "log in as NAME" },
  { long: "private-key", aliases: ["key-file"], takes: "FILE", help: "log in with this key" },
  { long: "ask-pass", short: "k", help: "ask for the login password" },
  {
    long: "connection-password-file",
    aliases: ["conn-pass-file"],
    takes: "FILE",
    help: "file or program that gives the login password",
  },
  { long: "connection", short: "c", takes: "KIND", help: "ssh, local or docker" },
  { long: "timeout", short: "T", takes: "SECONDS", help: "how long connecting may take (10)" },
  { long: "ssh-config", short: "F", takes: "FILE", help: "read this instead of ~/.ssh/config" },
  {
    long: "accept-new-host-keys",
    help: "trust hosts that known_hosts does not list yet; a changed key is refused all the same",
  },
  { long: "become", short: "b", help: "act as another user (root, unless --become-user says otherwise)" },
  { long: "become-user", takes: "NAME", help: "act as NAME" },
  { long: "become-method", takes: "METHOD", help: "sudo or su" },
  { long: "ask-become-pass", short: "K", help: "ask for the password of sudo or su" },
  {
    long: "become-password-file",
    aliases: ["become-pass-file"],
    takes: "FILE",
    help: "file or program that gives the password of sudo or su",
  },
  {
    long: "ssh-common-args",
    aliases: ["ssh-extra-args"],
    takes: "ARGS",
    repeat: true,
    help: "options of ssh: -o ProxyJump=…, -J HOST, -p PORT, -i FILE, -o UserKnownHostsFile=…",
  },
  ...["sftp-extra-args", "scp-extra-args"].map((long) => ({
    long,
    takes: "ARGS",
    help: "",
    refused: { why: "files go through the one ssh connection of a host", fix: "--ssh-common-args ARGS" },
  })),
];

/** Ansible's, of every verb that runs tasks: without meaning here, or refused with a way out. */
const foreignOptions: readonly OptionSpec[] = [
  // Nothing is kept between runs: there is nothing to flush.
  { long: "flush-cache", hidden: true, help: "" },
  {
    long: "module-path",
    short: "M",
    takes: "FOLDER",
    help: "",
    refused: {
      why: "modules are built in, Python is not run",
      fix: "provision docs lists them; the module script runs a program of yours",
    },
  },
  { long: "version", help: "", refused: { why: "it stands alone", fix: "provision --version" } },
];

export const inventoryOptions: readonly OptionSpec[] = [
  {
    long: "inventory",
    short: "i",
    aliases: ["inventory-file"],
    takes: "INVENTORY",
    repeat: true,
    help: "file, folder, program or host1,host2, (may be given several times)",
  },
  {
    long: "limit",
    short: "l",
    takes: "PATTERN",
    repeat: true,
    help: "only these hosts; @failed: those that failed last time",
  },
];

export const variableOptions: readonly OptionSpec[] = [
  {
    long: "extra-vars",
    short: "e",
    takes: "VARS",
    repeat: true,
    help: 'name=value, {"name": …} or @file; wins over everything',
  },
  {
    long: "vault-password-file",
    aliases: ["vault-pass-file"],
    takes: "FILE",
    repeat: true,
    help: "file or program that gives the vault password",
  },
  { long: "vault-id", takes: "ID@SOURCE", repeat: true, help: "a vault password for one id" },
  { long: "ask-vault-pass", aliases: ["ask-vault-password"], short: "J", help: "ask for the vault password" },
];

export const outputOptions: readonly OptionSpec[] = [
  { long: "verbose", short: "v", repeat: true, help: "more: -v steps, -vv results, -vvv times" },
  { long: "json", help: "one JSON object an event, on standard output" },
  { long: "plain", help: "plain lines, on a terminal too" },
  { long: "profile", help: "show the slowest ten tasks, and what they waited for" },
  { long: "no-color", aliases: ["no-colour"], help: "no colours" },
  { long: "help", short: "h", help: "show this" },
];

export const changeOptions: readonly OptionSpec[] = [
  { long: "check", short: "C", help: "change nothing: show what would change" },
  { long: "diff", short: "D", help: "show what differs in files" },
  {
    long: "forks",
    short: "f",
    takes: "N",
    help: "hosts worked on at once (100 a core, as memory and files allow)",
  },
  { long: "no-ask-ahead", hidden: true, help: "ask every question at its task's turn" },
  ...foreignOptions,
];

export const playbookOptions: readonly OptionSpec[] = [
  { long: "tags", short: "t", takes: "TAGS", repeat: true, help: "only tasks with these tags" },
  { long: "skip-tags", takes: "TAGS", repeat: true, help: "not the tasks with these tags" },
  { long: "start-at-task", takes: "NAME", help: "begin at this task (* and ? stand for anything)" },
  { long: "step", help: "ask before each task" },
  { long: "force-handlers", help: "run notified handlers on failed hosts too" },
  { long: "list-hosts", help: "show the hosts of each play, run nothing" },
  { long: "list-tasks", help: "show the tasks that would run, run nothing" },
  { long: "list-tags", help: "show the tags, run nothing" },
  { long: "syntax-check", help: "check everything that can be checked without a host" },
];

/** What exec and task take besides their own. */
export const adHocOptions: readonly OptionSpec[] = [
  ...inventoryOptions,
  ...variableOptions,
  ...changeOptions,
  ...connectionOptions,
  ...outputOptions,
  { long: "list-hosts", help: "show the hosts that are meant, run nothing" },
  { long: "one-line", short: "o", help: "one line a host" },
  { long: "task-timeout", takes: "SECONDS", help: "end it on a host after this long" },
  {
    long: "playbook-dir",
    takes: "FOLDER",
    help: "whose group_vars/, host_vars/ and files/ count (this folder)",
  },
  {
    long: "tree",
    short: "t",
    takes: "FOLDER",
    help: "",
    refused: { why: "no files are written", fix: "--json > FILE: every result is in it" },
  },
];

export const allRunOptions: readonly OptionSpec[] = [
  ...inventoryOptions,
  ...variableOptions,
  ...playbookOptions,
  ...changeOptions,
  ...connectionOptions,
  ...outputOptions,
];
