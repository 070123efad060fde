/** sh that clears up when its script ends, also by a signal: dash runs no EXIT trap then by itself. */
export const cleanUpSh = (command: string): string =>
  `trap '${command}' EXIT; trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM`;
