/** A listener that throws keeps nobody else from hearing, and is not swallowed by the connection either. */
export function tell<T>(listeners: Iterable<(news: T) => void>, news: T): void {
  for (const listener of listeners) {
    try {
      listener(news);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
