/** Every file that an emission changes. */
export function changesOf<Change extends { readonly edits: readonly unknown[] }>(
  emission: Change & { readonly others: readonly Change[] },
): Change[] {
  return [emission, ...emission.others].filter((change) => change.edits.length > 0);
}
