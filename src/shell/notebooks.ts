import { badInput, messageOf, type TextEdit } from '../core/errors';
import { editNotebookJson, joinCells, readNotebookJson, type NotebookSource } from '../language';

/** Notebook files for whoever reads them without an editor: their Python cells are one source. */

export function isNotebook(file: string): boolean {
  return file.toLowerCase().endsWith('.ipynb');
}

/** The Python cells of a notebook file. @throws ShrinkError `notebook-unreadable` */
export function openNotebook(file: string, json: string): NotebookSource {
  try {
    return joinCells(readNotebookJson(json));
  } catch (thrown) {
    throw badInput(
      'notebook-unreadable',
      `${file} is no notebook that can be read: ${messageOf(thrown)}`,
      thrown,
    );
  }
}

/** Edits of the joined cells as edits of the file. @throws ShrinkError `notebook-unreadable` */
export function editsOfNotebook(file: string, json: string, edits: readonly TextEdit[]): TextEdit[] {
  return editNotebookJson(json, openNotebook(file, json).splitEdits(edits));
}
