/** The name of a library thing without the ways in which it can be imported. */
export function plainPath(path: string): string {
  return path
    .replace(/^(?:tensorflow\.(?:python\.)?|tf_)keras\b/, 'keras')
    .replace(/^tensorflow\.compat\.v\d\./, 'tensorflow.');
}
