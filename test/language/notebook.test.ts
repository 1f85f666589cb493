import { describe, expect, it } from 'vitest';
import {
  applyEdits,
  editNotebookJson,
  joinCells,
  makePlan,
  planEdits,
  readNotebookJson,
} from '../../src/language';
import { read } from './support/parsers';

const NOTEBOOK = JSON.stringify({
  metadata: { kernelspec: { language: 'python' } },
  cells: [
    {
      cell_type: 'code',
      source: ['%matplotlib inline\n', '!pip install torch\n', 'from torch import nn\n', 'WIDTH = 64'],
    },
    { cell_type: 'markdown', source: '# A model\n`nn.Linear(1, 2)`' },
    { cell_type: 'code', source: '%%bash\nls' },
    {
      cell_type: 'code',
      source: [
        '# @shrink\n',
        'model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, WIDTH), nn.Linear(WIDTH, 2))',
      ],
    },
  ],
});

describe('notebooks', () => {
  it('are read across cells, and edited within them', () => {
    const cells = readNotebookJson(NOTEBOOK);
    const notebook = joinCells(cells);
    const reading = read(notebook.text, '/project/notebook.py');
    expect(reading.models[0]?.sites.map((site) => site.width)).toEqual([32, undefined, 64, 2]);
    const planned = planEdits(reading, 'model', { 0: 5, 2: 9 });
    expect(planned.problems).toEqual([]);
    const edits = notebook.splitEdits(planned.edits);
    const edited = cells.map((cell, index) => applyEdits(cell.text, edits.get(index) ?? []));
    expect(edited[0]).toBe(cells[0]?.text.replace('64', '9'));
    expect(edited[3]).toBe(cells[3]?.text.replaceAll('32', '5'));
    expect([...edits.keys()]).toEqual([0, 3]);
  });

  it('say in which cell a problem lies', () => {
    const notebook = joinCells(readNotebookJson(NOTEBOOK.replace('# @shrink', '# @shrink mim=3')));
    const problem = read(notebook.text, '/project/notebook.py').problems.find(
      (candidate) => candidate.code === 'unknown-key',
    );
    expect(problem && notebook.inCell(problem.range)).toEqual({ cell: 3, range: { start: 10, end: 13 } });
    expect(notebook.offsetOf(3, 10)).toBe(problem?.range.start);
    expect(notebook.offsetOf(1, 0)).toBeUndefined();
  });

  it.each(['model.fit?', '?model', 'model.fit??  ', 'torch.*Linear*?'])(
    '%s is a question, no code',
    (line) => {
      const cells = readNotebookJson(
        NOTEBOOK.replace('# @shrink\\n', `${line}\\n`).replace(
          'nn.Linear(WIDTH, 2))',
          `nn.Linear(WIDTH, 2))\\n${line}`,
        ),
      );
      const notebook = joinCells(cells);
      const model = cells[3]?.text.indexOf('model = ') ?? 0;
      expect(notebook.text.indexOf('model = ')).toBe(notebook.offsetOf(3, model));
      const reading = read(notebook.text, '/project/notebook.py');
      expect(makePlan(reading).sites.map((site) => site.width)).toEqual([32, undefined, 64, 2]);
    },
  );

  it('that are none are refused', () => {
    expect(() => readNotebookJson('{}')).toThrow(TypeError);
    expect(() => readNotebookJson('no')).toThrow(SyntaxError);
  });

  it.each([
    ['as Jupyter writes it', (text: string) => JSON.stringify(JSON.parse(text), undefined, 1) + '\n'],
    [
      'with other spaces',
      (text: string) => JSON.stringify(JSON.parse(text), undefined, '\t').replaceAll('":', '" :'),
    ],
    ['in one line', (text: string) => text],
  ])('keep every other byte of the file: %s', (_, format) => {
    const odd = NOTEBOOK.replace('import nn\\n', 'import nn  # \\u00e9 \\ud83d\\ude00 \\"é\\"\\n');
    const json = format(odd).replaceAll('é', '\\u00e9');
    const cells = readNotebookJson(json);
    const notebook = joinCells(cells);
    const planned = planEdits(read(notebook.text, '/project/notebook.py'), 'model', { 0: 5, 2: 9 });
    const edited = applyEdits(json, editNotebookJson(json, notebook.splitEdits(planned.edits)));
    const wanted = json
      .replace('WIDTH = 64', 'WIDTH = 9')
      .replace('(8, 32)', '(8, 5)')
      .replace('(32, WIDTH)', '(5, WIDTH)');
    expect(edited).toBe(wanted);
    expect(readNotebookJson(edited)[0]?.text).toBe(cells[0]?.text.replace('64', '9'));
  });
});
