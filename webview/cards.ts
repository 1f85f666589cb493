import type { FromPanel, PanelWord, PanelWords } from '../src/protocol/webview';
import { makeCard, type Card, type CardEvents } from './card';
import {
  accuracyCard,
  channelsCard,
  costCard,
  lambdaCard,
  lossCard,
  nowCard,
  sizesCard,
  stepCard,
  widthsCard,
} from './charts/cards';
import type { CardSpec } from './charts/spec';
import { sweepCard } from './charts/sweepCard';
import type { Theme } from './charts/theme';
import { make, makeSelect } from './elements';
import { sizePicker, trialPicker } from './pickers';
import type { PanelState } from './state';

type MakeSpec = (state: PanelState, words: PanelWords) => CardSpec;

/** In the order in which they stand. */
const SPECS: readonly (readonly [id: string, title: PanelWord, make: MakeSpec])[] = [
  ['widths', 'widths', widthsCard],
  ['now', 'nowStart', nowCard],
  ['sweep', 'sweep', sweepCard],
  ['sizes', 'sizes', sizesCard],
  ['accuracy', 'accuracyTitle', accuracyCard],
  ['loss', 'lossTitle', lossCard],
  ['cost', 'costTitle', costCard],
  ['step', 'stepTime', stepCard],
  ['lambda', 'lambda', lambdaCard],
  ['channels', 'thetaTitle', channelsCard],
];

/** All cards of the panel. */
export interface Cards {
  readonly element: HTMLElement;
  show(state: PanelState): void;
  /** Another run, or this one from its start. */
  reset(state: PanelState): void;
  /** Draws one card. @returns false if none was due */
  drawNext(theme: Theme): boolean;
  redraw(): void;
}

export function makeCards(
  words: PanelWords,
  context: {
    readonly send: (message: FromPanel) => void;
    readonly onProblem: (thrown: unknown) => void;
    readonly onDue: () => void;
  },
): Cards {
  const { send, onProblem, onDue } = context;
  const events: CardEvents = {
    onExport: (format, name, content) =>
      send({ type: 'export', format, name: `shrinknets-${name}`, content }),
    onProblem,
    onDue,
  };
  const sizes = sizePicker(words, (budget) => send({ type: 'emitPoint', budget }));
  const trials = trialPicker(words, send);
  const picks: Readonly<Record<string, CardEvents['onPick']>> = { sizes: sizes.pick, sweep: trials.pick };
  const eventsOf = (id: string): CardEvents => {
    const onPick = picks[id];
    return onPick === undefined ? events : { ...events, onPick };
  };
  const cards = SPECS.map(
    ([id, title, spec]): { readonly id: string; readonly card: Card; readonly spec: MakeSpec } => ({
      id,
      card: makeCard(id, words[title], words, eventsOf(id)),
      spec,
    }),
  );
  const find = (id: string): Card | undefined => cards.find((each) => each.id === id)?.card;
  const layer = makeSelect(words.layer, (name) => send({ type: 'channels', layer: name }));
  find('channels')?.foot.append(layer.element);
  find('sizes')?.foot.append(...sizes.elements);
  find('sweep')?.foot.append(...trials.elements);
  let next = 0;
  return {
    element: make('div', 'cards', ...cards.map(({ card }) => card.element)),
    show(state) {
      for (const { id, card, spec } of cards) {
        card.element.hidden = isEmpty(id, state);
        if (!card.element.hidden) card.set(() => spec(state, words));
      }
      sizes.show(state);
      trials.show(state);
    },
    reset(state) {
      const learned = state.header.layers.filter((each) => each.learned);
      layer.setChoices(learned.map(({ name }) => ({ value: name, label: name })));
      const [first] = learned;
      if (first !== undefined) send({ type: 'channels', layer: first.name });
    },
    drawNext(theme) {
      for (let tried = 0; tried < cards.length; tried += 1) {
        const card = cards[next]?.card;
        next = (next + 1) % cards.length;
        if (card?.element.hidden === false && card.draw(theme)) return true;
      }
      return false;
    },
    redraw() {
      for (const { card } of cards) card.redraw();
    },
  };
}

/** Cards that have nothing to say yet, or never will for this run. */
function isEmpty(id: string, state: PanelState): boolean {
  const epochs = state.epochs.kept;
  switch (id) {
    case 'sweep':
      return state.trials.length === 0;
    case 'sizes':
      return state.points.length === 0;
    case 'accuracy':
      return epochs.length === 0 || epochs.every((row) => row.validationAccuracy === null);
    case 'loss':
    case 'step':
    case 'lambda':
      return epochs.length === 0;
    default:
      return state.header.layers.length === 0;
  }
}
