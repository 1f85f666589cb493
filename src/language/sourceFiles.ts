/**
 * The files around the one that is read, as whoever asks sees them: from disk, or as an editor holds them. Reading a
 * source follows its relative imports through this, so that no front-end touches a disk.
 */
export interface SourceFiles {
  /**
   * The file that a relative import means.
   *
   * @param from absolute path of the importing file
   * @param specifier as written, e.g. `./config.js`
   * @returns absolute path, or undefined if there is no such file
   */
  resolve(from: string, specifier: string): string | undefined;
  /** Text of a file; undefined if it cannot be read. */
  read(file: string): string | undefined;
}

/** No other file: what is imported stays unknown. */
export const NO_FILES: SourceFiles = { resolve: () => undefined, read: () => undefined };

/** Files with some of them as they would be. */
export function withTexts(files: SourceFiles, texts: ReadonlyMap<string, string>): SourceFiles {
  return {
    resolve: (from, specifier) => files.resolve(from, specifier),
    read: (file) => texts.get(file) ?? files.read(file),
  };
}
