/** Calls somebody else's function. What it throws is a defect: it must surface, but not break what we are doing. */
export function callListener(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
