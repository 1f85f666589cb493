import { layers, sequential, train, type Sequential } from '@tensorflow/tfjs';
import { useEffect, useState } from 'react';

interface Props {
  readonly classes?: number;
  readonly title: string;
}

/** One hidden layer a list entry: ‹wide› at first. */
const HIDDEN: readonly number[] = [96, 48];

async function buildClassifier(inputs = 16, classes = 4): Promise<Sequential> {
  const model = sequential({ name: 'classifier' });
  HIDDEN.forEach((units, index) => {
    model.add(layers.dense({ units, activation: 'relu', ...(index === 0 ? { inputShape: [inputs] } : {}) }));
    model.add(layers.dropout({ rate: 0.2 }));
  });
  model.add(layers.dense({ units: classes, activation: 'softmax' }));
  model.compile({ optimizer: train.adam(0.002), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

export function Classifier({ classes = 4, title }: Props): JSX.Element {
  const [ready, setReady] = useState(false);
  useEffect(() => {
    void buildClassifier().then((model) => {
      model.summary();
      setReady(true);
    });
  }, [classes]);
  return <section aria-busy={!ready}>{`${title}: ${ready ? 'ready' : '…'}`}</section>;
}
