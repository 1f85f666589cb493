/** The name of an option's flag: `batchSize` is `--batch-size`. */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
