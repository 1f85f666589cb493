/** A string in double quotes, or in single ones where that takes fewer backslashes, as formatters have it. */
export function quote(text: string): string {
  const double = JSON.stringify(text);
  const count = (mark: string): number => text.split(mark).length - 1;
  if (count('"') <= count("'")) return double;
  return `'${double.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
