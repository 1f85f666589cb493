export interface Line {
  readonly slope: number;
  /** Standard error of the slope. */
  readonly error: number;
  at(x: number): number;
}

/** A line through points by least squares. */
export function fitLine(x: readonly number[], y: readonly number[]): Line {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middleX, middleY] = [mean(x), mean(y)];
  const spreadX = x.reduce((sum, value) => sum + (value - middleX) ** 2, 0);
  const slope = x.reduce((sum, value, i) => sum + (value - middleX) * ((y[i] ?? 0) - middleY), 0) / spreadX;
  const at = (value: number): number => middleY + slope * (value - middleX);
  const squares = x.reduce((sum, value, i) => sum + ((y[i] ?? 0) - at(value)) ** 2, 0);
  return { slope, error: Math.sqrt(squares / (x.length - 2) / spreadX), at };
}
