import type { EpochRow, PanelWords, WidthRow } from '../../src/protocol/webview';
import { allRows, currentWidths, type PanelState } from '../state';
import { change, count, percent, plain } from '../words';
import type { CardSpec, Line, TableSpec } from './spec';

/** Bars beyond these make no picture; the table has all. */
const MOST_BARS = 20;

/** Width of every layer over the epochs. */
export function widthsCard(state: PanelState, words: PanelWords): CardSpec {
  const { layers } = state.header;
  const rows = allRows(state.widths);
  const learned = layers.map((layer, i) => ({ ...layer, i })).filter((layer) => layer.learned);
  const last = rows.at(-1);
  const lines = learned.map((layer): Line => ({
    name: layer.name,
    points: rows.map((row) => ({ x: row.x, y: row.widths[layer.i] ?? layer.start })),
  }));
  const now = learned.slice(0, 8).map((layer) => `${layer.name} ${last?.widths[layer.i] ?? layer.start}`);
  return {
    id: 'widths',
    title: words.widths,
    about: words.widthsAbout,
    chart: {
      kind: 'line',
      xTitle: words.epoch,
      yTitle: words.channels,
      lines,
      summary: `${words.widths}. ${words.now}: ${now.join(', ')}`,
    },
    table: () => ({
      columns: [words.epoch, ...layers.map((layer) => layer.name), words.parameters, words.macs],
      rows: rows.map((row: WidthRow) => [round(row.x), ...row.widths, row.params, row.macs]),
    }),
  };
}

/** What is left of each layer. */
export function nowCard(state: PanelState, words: PanelWords): CardSpec {
  const widths = currentWidths(state);
  const all = state.header.layers.map((layer, i) => ({ ...layer, now: widths[i] ?? layer.start }));
  const learned = all.filter((layer) => layer.learned);
  const shown =
    learned.length <= MOST_BARS
      ? learned
      : [...learned].sort((a, b) => b.start - a.start).slice(0, MOST_BARS);
  const dots = (value: (layer: (typeof shown)[number]) => number): Line['points'] =>
    shown.map((layer, x) => ({ x, y: value(layer) }));
  return {
    id: 'now',
    title: words.nowStart,
    about: shown.length < learned.length ? `${words.nowStartAbout} ${words.largest}` : words.nowStartAbout,
    chart: {
      kind: 'bars',
      xTitle: words.channels,
      yTitle: words.layer,
      labels: shown.map((layer) => layer.name),
      lines: [
        { name: words.now, points: dots((layer) => layer.now), strong: true },
        { name: words.start, points: dots((layer) => layer.start) },
      ],
      summary: shown
        .slice(0, 8)
        .map((layer) => `${layer.name}: ${layer.now}, ${words.was} ${layer.start}`)
        .join('; '),
    },
    table: () => ({
      columns: [words.layer, words.start, words.now, words.change],
      rows: all.map(({ name, start, now }) => [name, start, now, change(start, now)]),
    }),
  };
}

interface EpochLine {
  readonly name: string;
  readonly read: (row: EpochRow) => number | null;
}

function epochCard(
  state: PanelState,
  words: PanelWords,
  card: Pick<CardSpec, 'id' | 'title' | 'about'> & {
    readonly yTitle: string;
    readonly values: readonly EpochLine[];
    readonly percentY?: boolean;
    readonly only?: EpochRow['phase'];
  },
): CardSpec {
  const { id, title, about, yTitle, values, percentY, only } = card;
  const rows = allRows(state.epochs).filter((row) => only === undefined || row.phase === only);
  const lines = values.map(({ name, read }): Line => ({
    name,
    points: rows.flatMap((row, i) => {
      const y = read(row);
      if (y === null || !Number.isFinite(y)) return [];
      const before = rows[i - 1];
      // Each size is finished from its own network: its curve does not go on from the one before.
      const isNew = before !== undefined && (before.phase !== row.phase || before.budget !== row.budget);
      return [...(isNew ? [{ x: row.x, y: Number.NaN }] : []), { x: row.x, y }];
    }),
  }));
  const show = (y: number | undefined): string =>
    y === undefined ? '–' : percentY === true ? percent(y) : plain(y);
  return {
    id,
    title,
    about,
    chart: {
      kind: 'line',
      xTitle: words.epoch,
      yTitle,
      lines,
      ...(percentY === true ? { percentY } : {}),
      summary: `${title}. ${lines.map((line) => `${line.name} ${show(line.points.at(-1)?.y)}`).join(', ')}`,
    },
    table: (): TableSpec => ({
      columns: [words.epoch, words.phase, words.size, ...values.map(({ name }) => name)],
      rows: rows.map((row) => [
        row.x,
        row.phase === 'trunk' ? words.trunk : words.finish,
        row.budget,
        ...values.map(({ read }) => read(row)),
      ]),
    }),
  };
}

export function lossCard(state: PanelState, words: PanelWords): CardSpec {
  return epochCard(state, words, {
    id: 'loss',
    title: words.lossTitle,
    about: words.lossAbout,
    yTitle: words.loss,
    values: [
      { name: words.training, read: (row) => row.loss },
      { name: words.validation, read: (row) => row.validationLoss },
    ],
  });
}

export function accuracyCard(state: PanelState, words: PanelWords): CardSpec {
  return epochCard(state, words, {
    id: 'accuracy',
    title: words.accuracyTitle,
    about: words.accuracyAbout,
    yTitle: words.accuracy,
    percentY: true,
    values: [
      { name: words.training, read: (row) => row.accuracy },
      { name: words.validation, read: (row) => row.validationAccuracy },
    ],
  });
}

export function costCard(state: PanelState, words: PanelWords): CardSpec {
  const { params, macs, layers } = state.header;
  const rows = allRows(state.widths);
  const line = (name: string, read: (row: WidthRow) => number): Line => ({
    name,
    points: rows.map((row) => ({ x: row.x, y: read(row) })),
  });
  const last = rows.at(-1);
  return {
    id: 'cost',
    title: words.costTitle,
    about: words.costAbout,
    chart: {
      kind: 'line',
      xTitle: words.epoch,
      yTitle: words.ofStart,
      percentY: true,
      lines: [
        line(words.parameters, (row) => row.params / Math.max(1, params)),
        line(words.macs, (row) => row.macs / Math.max(1, macs)),
      ],
      summary: `${words.parameters} ${count(last?.params ?? params)}, ${words.macs} ${count(last?.macs ?? macs)}; ${layers.length} ${words.layer}`,
    },
    table: () => ({
      columns: [words.epoch, words.parameters, words.macs],
      rows: rows.map((row) => [round(row.x), row.params, row.macs]),
    }),
  };
}

export function stepCard(state: PanelState, words: PanelWords): CardSpec {
  return epochCard(state, words, {
    id: 'step',
    title: words.stepTime,
    about: words.stepAbout,
    yTitle: 'ms',
    values: [{ name: words.stepTime, read: (row) => row.stepMs }],
  });
}

export function lambdaCard(state: PanelState, words: PanelWords): CardSpec {
  return epochCard(state, words, {
    id: 'lambda',
    title: words.lambda,
    about: words.lambdaAbout,
    yTitle: 'λ',
    only: 'trunk',
    values: [{ name: words.lambda, read: (row) => row.lambda }],
  });
}

/** Accuracy (or loss) of every finished size against its parameters. */
export function sizesCard(state: PanelState, words: PanelWords): CardSpec {
  const { points, chosen } = state;
  const hasAccuracy = points.some((point) => point.accuracy !== null);
  const quality = (i: number): number => {
    const point = points[i];
    return (hasAccuracy ? point?.accuracy : point?.loss) ?? Number.NaN;
  };
  const dots = (fits: (i: number) => boolean): Line['points'] =>
    points.flatMap((point, i) =>
      fits(i)
        ? [
            {
              x: point.params,
              y: quality(i),
              ...(point.kind === 'size' ? { ref: String(point.budget) } : {}),
            },
          ]
        : [],
    );
  const picked = points[chosen];
  // The starting size may have been trained for less: a dot must not look better or worse than it is.
  const trained = (name: string, point: (typeof points)[number] | undefined): string =>
    (point?.epochs ?? null) === null ? name : `${name} (${Math.round(point?.epochs ?? 0)} ${words.epochs})`;
  const start = points.find((point) => point.kind === 'start');
  return {
    id: 'sizes',
    title: words.sizes,
    about: words.sizesAbout,
    chart: {
      kind: 'scatter',
      xTitle: words.parameters,
      yTitle: hasAccuracy ? words.validationAccuracy : words.validationLoss,
      logX: true,
      percentY: hasAccuracy,
      lines: [
        { name: trained(words.chosenPoint, picked), points: dots((i) => i === chosen), strong: true },
        {
          name: words.learnedSizes,
          points: dots((i) => i !== chosen && points[i]?.kind === 'size'),
        },
        { name: trained(words.start, start), points: dots((i) => points[i]?.kind === 'start') },
      ].filter((line) => line.points.length > 0),
      summary:
        picked === undefined
          ? `${points.length} ${words.learnedSizes}`
          : `${points.length} ${words.learnedSizes}; ${words.chosenPoint}: ${count(picked.params)} ${words.ofParameters}, ${percent(picked.accuracy)}`,
    },
    table: () => ({
      columns: [
        ...[words.size, words.parameters, words.macs, words.validationAccuracy, words.testAccuracy],
        ...[words.validationLoss, words.testLoss, words.epochs],
        ...state.header.layers.map((layer) => layer.name),
      ],
      rows: points.map((point, i) => [
        point.kind === 'start' ? words.start : i === chosen ? words.chosenPoint : plain(round(point.budget)),
        ...[point.params, point.macs, point.accuracy, point.testAccuracy, point.loss, point.testLoss],
        point.epochs === null ? null : Math.round(point.epochs),
        ...point.widths,
      ]),
    }),
  };
}

/** Switch and score of each channel of one layer. */
export function channelsCard(state: PanelState, words: PanelWords): CardSpec {
  const { channels } = state;
  const theta = channels?.theta ?? [];
  const score = channels?.score ?? [];
  const order = theta.map((_, i) => i).sort((a, b) => Math.abs(theta[b] ?? 0) - Math.abs(theta[a] ?? 0));
  const none = state.channelsMessage === '' ? words.thetaNone : state.channelsMessage;
  return {
    id: 'channels',
    title: words.thetaTitle,
    about:
      channels === undefined
        ? none
        : `${words.thetaAbout} ${words.layer}: ${channels.layer}. ${words.step} ${channels.step}.`,
    chart: {
      kind: 'line',
      xTitle: words.channel,
      yTitle: '',
      lines: [
        { name: words.theta, points: order.map((channel, x) => ({ x: x + 1, y: theta[channel] ?? 0 })) },
        ...(score.length === 0
          ? []
          : [
              {
                name: words.score,
                points: order.map((channel, x) => ({ x: x + 1, y: score[channel] ?? 0 })),
              },
            ]),
      ],
      summary: `${words.thetaTitle}: ${theta.length}`,
    },
    table: () => ({
      columns: [words.channel, words.theta, words.score],
      rows: theta.map((value, channel) => [channel, value, score[channel] ?? null]),
    }),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
