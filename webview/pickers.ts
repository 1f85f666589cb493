import type { FromPanel, PanelWords } from '../src/protocol/webview';
import { qualityOf } from './charts/sweepCard';
import { makeButton, makeSelect } from './elements';
import type { PanelState } from './state';
import { count, plain } from './words';

/** Picking one of several networks, in a list or on a chart, and writing it into the source. */
export interface Picker {
  readonly elements: readonly HTMLElement[];
  show(state: PanelState): void;
  /** A click on the chart. */
  readonly pick: (ref: string) => void;
}

/** The list of sizes and the button that writes the chosen one into the source. */
export function sizePicker(words: PanelWords, emit: (budget: number) => void): Picker {
  let touched = false;
  const select = makeSelect(words.size, () => (touched = true));
  const button = makeButton(words.emitThis, () => {
    if (select.value !== '') emit(Number(select.value));
  });
  return {
    elements: [select.element, button],
    show({ points, chosen, result }) {
      const sizes = points.filter((point) => point.kind === 'size');
      select.setChoices(
        sizes.map((point) => ({
          value: String(point.budget),
          label: `${count(point.params)} ${words.ofParameters}, ${qualityOf(point)}`,
        })),
      );
      const best = points[chosen];
      if (!touched && best !== undefined) select.value = String(best.budget);
      // Only a finished run can be written: before, weights and checks are not there.
      for (const element of [select.element, button]) element.hidden = result === undefined;
    },
    pick(ref) {
      touched = true;
      select.value = ref;
    },
  };
}

/** The list of a sweep's trials, and the buttons that show one or write it into the source. */
export function trialPicker(words: PanelWords, send: (message: FromPanel) => void): Picker {
  let touched = false;
  let done = new Set<string>();
  const showButtons = (): void => {
    emit.hidden = !done.has(select.value);
  };
  const select = makeSelect(words.trial, () => {
    touched = true;
    showButtons();
  });
  const emit = makeButton(words.emitThis, () => {
    if (done.has(select.value)) send({ type: 'emitTrial', run: select.value });
  });
  const look = makeButton(words.showTrial, () => {
    if (select.value !== '') send({ type: 'showTrial', run: select.value });
  });
  return {
    elements: [select.element, emit, look],
    show({ trials }) {
      done = new Set(trials.flatMap(({ run, point }) => (point === null ? [] : [run])));
      select.setChoices(
        trials
          .filter(({ run }) => run !== '')
          .map(({ run, lambda, state, point }) => ({
            value: run,
            label: `λ ${plain(lambda)}: ${point === null ? words[state] : `${count(point.params)} ${words.ofParameters}, ${qualityOf(point)}`}`,
          })),
      );
      const best = trials.find((trial) => trial.chosen);
      if (!touched && best !== undefined) select.value = best.run;
      showButtons();
    },
    pick(ref) {
      touched = true;
      select.value = ref;
      showButtons();
    },
  };
}
