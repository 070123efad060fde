/** One line of progress: what is going on now. The caller adds the time. */
export type Say = (text: string) => void;
