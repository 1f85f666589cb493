import colors from 'picocolors';

/** Where a command writes: text for people on stdout, problems on stderr, and one line that is written over. */
export class Output {
  readonly colors = colors;
  private shown = false;

  line(text = ''): void {
    this.clearStatus();
    process.stdout.write(`${text}\n`);
  }

  error(text: string): void {
    this.clearStatus();
    process.stderr.write(`${text}\n`);
  }

  /** Replaces the last status. Only on a terminal: a file would fill with them. */
  status(text: string): void {
    if (!process.stderr.isTTY) return;
    const width = process.stderr.columns || 80;
    process.stderr.write(`\r\u001b[2K${text.length >= width ? text.slice(0, width - 1) : text}`);
    this.shown = true;
  }

  clearStatus(): void {
    if (!this.shown) return;
    process.stderr.write('\r\u001b[2K');
    this.shown = false;
  }
}
