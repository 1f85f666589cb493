import { beforeAll, describe, expect, it } from 'vitest';
import { findEngine } from '../../src/engine/registry';
import * as tf from '../../src/engine/tf';
import { distilledLoss } from '../../src/train/distil';
import type { LossName } from '../../src/core/losses';

beforeAll(async () => {
  await findEngine('wasm').load();
});

const STUDENT = [
  [1, 2, -1],
  [0.5, 0, 0.25],
];
const TEACHER = [
  [3, 1, 0],
  [-1, 0.5, 2],
];

function softmax(logits: readonly number[], temperature: number): number[] {
  const raised = logits.map((v) => Math.exp(v / temperature));
  const sum = raised.reduce((a, b) => a + b, 0);
  return raised.map((v) => v / sum);
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const kl = (p: readonly number[], q: readonly number[]): number =>
  p.reduce((sum, v, i) => sum + v * Math.log(v / (q[i] ?? 1)), 0);

function run(
  loss: LossName,
  fromLogits: boolean,
  weight: number,
  temperature: number,
  student = STUDENT,
  teacher = TEACHER,
): number {
  return tf.tidy(
    () =>
      distilledLoss([{ loss, fromLogits }], tf.scalar(0.7), [tf.tensor2d(student)], [tf.tensor2d(teacher)], {
        weight,
        temperature,
      }).dataSync()[0] ?? Number.NaN,
  );
}

describe('(1 − w)·L + w·T²·KL(teacher ‖ student)', () => {
  it.each([1, 2, 4])('is computed from softened softmaxes at temperature %d', (t) => {
    const divergence = mean(TEACHER.map((row, i) => kl(softmax(row, t), softmax(STUDENT[i] ?? [], t))));
    for (const w of [0, 0.3, 1])
      expect(run('categoricalCrossentropy', true, w, t)).toBeCloseTo(
        0.7 * (1 - w) + w * t * t * divergence,
        5,
      );
  });

  it('and the same from probabilities', () => {
    const probabilities = (rows: number[][]): number[][] => rows.map((row) => softmax(row, 1));
    expect(
      run('categoricalCrossentropy', false, 0.5, 3, probabilities(STUDENT), probabilities(TEACHER)),
    ).toBeCloseTo(run('categoricalCrossentropy', true, 0.5, 3), 4);
    expect(
      run('kullbackLeiblerDivergence', false, 0.5, 3, probabilities(STUDENT), probabilities(TEACHER)),
    ).toBeCloseTo(run('categoricalCrossentropy', true, 0.5, 3), 4);
  });

  it('from sigmoids where each output is a question of its own', () => {
    const t = 2;
    const sigmoid = (v: number): number[] => [1 / (1 + Math.exp(-v / t)), 1 / (1 + Math.exp(v / t))];
    const divergence = mean(
      TEACHER.flatMap((row, i) => row.map((v, j) => kl(sigmoid(v), sigmoid(STUDENT[i]?.[j] ?? 0)))),
    );
    expect(run('binaryCrossentropy', true, 0.4, t)).toBeCloseTo(0.42 + 0.4 * t * t * divergence, 5);
  });

  it('is half the squared difference for regressions and margins, at every temperature', () => {
    const half = mean(TEACHER.flatMap((row, i) => row.map((v, j) => (v - (STUDENT[i]?.[j] ?? 0)) ** 2))) / 2;
    for (const loss of ['meanSquaredError', 'meanAbsoluteError', 'huber', 'poisson', 'hinge'] as const)
      for (const t of [1, 4]) expect(run(loss, false, 0.5, t)).toBeCloseTo(0.35 + half / 2, 5);
  });

  it('is nothing where student and teacher agree', () => {
    for (const loss of ['categoricalCrossentropy', 'binaryCrossentropy', 'meanSquaredError'] as const)
      expect(run(loss, true, 1, 4, TEACHER, TEACHER)).toBeCloseTo(0, 5);
  });

  it('gives the student the gradient T·(softmax(student/T) − softmax(teacher/T)) a row', () => {
    const t = 3;
    const student = tf.variable(tf.tensor2d(STUDENT));
    const { grads } = tf.variableGrads(
      () =>
        distilledLoss(
          [{ loss: 'categoricalCrossentropy', fromLogits: true }],
          tf.scalar(0),
          [student],
          [tf.tensor2d(TEACHER)],
          { weight: 1, temperature: t },
        ),
      [student],
    );
    const expected = STUDENT.flatMap((row, i) => {
      const [q, p] = [softmax(row, t), softmax(TEACHER[i] ?? [], t)];
      return q.map((v, j) => (t * (v - (p[j] ?? 0))) / STUDENT.length);
    });
    [...(grads[student.name]?.dataSync() ?? [])].forEach((v, i) =>
      expect(v).toBeCloseTo(expected[i] ?? 0, 5),
    );
    student.dispose();
  });
});
