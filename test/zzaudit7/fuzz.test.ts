import { it, expect } from 'vitest';
import * as tf from '../../src/engine/tf';
import { findEngine } from '../../src/engine/registry';
import { gradientsOn, worstError } from '../engine/support';
import { cases } from './cases';
it('fuzz', async () => {
  const cpu = await findEngine('cpu').load();
  const out: string[] = [];
  const engines = (process.env.AENG ?? 'wasm,onnxruntime').split(',');
  let n = 0;
  for (const spec of cases) {
    let ref: Float32Array[];
    try { await tf.setBackend('cpu'); ref = await gradientsOn(cpu, spec); } catch (e) { out.push(`REF ${spec.name}: ${String(e).slice(0, 160)}`); 
      for (const name of engines) { const e2 = await findEngine(name).load(); const r = await gradientsOn(e2, spec).then(() => 'no error!', (t) => String(t).slice(0, 200)); out.push(`   ${name}: ${r}`); await tf.setBackend('cpu'); }
      continue; }
    if (ref.some((g) => g.some((v) => Number.isNaN(v)))) out.push(`NAN ref ${spec.name}`);
    for (const name of engines) {
      const e = await findEngine(name).load();
      const r = await gradientsOn(e, spec).then((f) => worstError(f, ref), (t) => String(t).slice(0, 200));
      await tf.setBackend('cpu');
      n++;
      if (typeof r === 'string' || !(r < 1e-4)) out.push(`${name} ${spec.name}: ${r}`);
    }
  }
  (await import('node:fs')).writeFileSync('/tmp/audit7/fuzz.txt', `${n} checked\n` + out.join('\n') + '\n');
}, 400_000);
