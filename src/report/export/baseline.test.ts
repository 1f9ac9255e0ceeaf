import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import onnxProto from 'onnx-proto';
import type { FittedBaseline } from '../../baseline/baseline.ts';
import { boostedTrees } from '../../baseline/boosted-trees.ts';
import { linear } from '../../baseline/linear.ts';
import { baselineTask, loadRows } from '../../baseline/rows.ts';
import { imageData, tableData } from '../../baseline/testing/data.ts';
import { rng } from '../../common/random.ts';
import type { Dataset } from '../../data/dataset.ts';
import { createEngine } from '../../engine/create.ts';
import type { Engine } from '../../engine/engine.ts';
import { nodeRuntime } from '../../engine/runtime/node.node.ts';
import { predictFiles } from '../predict.node.ts';
import { checkBaselineParity, exportBaseline } from './baseline.ts';
import { readModel } from './onnx.ts';
import { sealModel } from './seal.node.ts';

let engine: Engine;
let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'netsmith-baseline-'));
  engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
});
after(async () => {
  await engine.dispose();
  await rm(dir, { recursive: true, force: true });
});

const { ModelProto } = onnxProto.onnx;
const about = { version: '0.0.0', training: {} };

async function exported(data: Dataset, baseline = boostedTrees, limit: { readonly deadline?: number } = {}) {
  const { info, train } = data.search;
  const of = baselineTask(info);
  assert.ok(of);
  const fitted: FittedBaseline = await baseline.fit(
    { ...of, train: await loadRows(of, train, 1) },
    { seed: 1, ...limit },
  );
  assert.ok(fitted.form);
  return { fitted, info, model: exportBaseline({ name: baseline.name, form: fitted.form, info, about }) };
}

/** The boosted trees of a table with classes, for tests that take any. */
let treesOnce: Promise<Uint8Array> | undefined;
function trees(): Promise<Uint8Array> {
  treesOnce ??= tableData('classification').then(async (data) => (await exported(data)).model);
  return treesOnce;
}

suite('export of baselines', () => {
  const kinds = {
    'a table with classes': () => tableData('classification'),
    'a table with numbers': () => tableData('regression'),
    images: () => imageData(),
  };
  for (const baseline of [boostedTrees, linear])
    for (const [kind, open] of Object.entries(kinds))
      test(`${baseline.name}, ${kind}: ONNX Runtime answers as the baseline does`, async () => {
        const data = await open();
        const { fitted, info, model } = await exported(data, baseline);
        const { parity } = await checkBaselineParity({ engine, model, fitted, info, samples: data.search.valid });
        assert.ok(parity < 1e-5, `${parity}`);
        const read = readModel('the model', model);
        assert.deepEqual(
          [read.metadata.task, read.metadata.space, read.metadata.architecture],
          [info.kind, 'baseline', baseline.name],
        );
        await checkBaselineParity({ engine, model: read.model, fitted, info, samples: data.search.valid });
      });

  for (const [kind, open] of Object.entries(kinds))
    test(`boosted-trees without time for a tree, ${kind}: ONNX Runtime answers as the baseline does`, async () => {
      const data = await open();
      const { fitted, info, model } = await exported(data, boostedTrees, { deadline: 0 });
      assert.equal(fitted.effort, 0);
      const { parity } = await checkBaselineParity({ engine, model, fitted, info, samples: data.search.valid });
      assert.ok(parity < 1e-5, `${parity}`);
      readModel('the model', model);
    });

  test('missing values take the way that they were taught', async () => {
    const data = await tableData('classification');
    const { info, train, valid } = data.search;
    const of = baselineTask(info);
    assert.ok(of);
    const rows = await loadRows(of, train, 1);
    for (let row = 0; row < rows.table.rows; row += 3) rows.table.data[row * rows.table.columns] = Number.NaN;
    const fitted = await boostedTrees.fit({ ...of, train: rows }, { seed: 1 });
    assert.ok(fitted.form);
    const model = exportBaseline({ name: 'boosted-trees', form: fitted.form, info, about });
    const samples = {
      count: valid.count,
      async read(...[indices, into]: Parameters<typeof valid.read>) {
        await valid.read(indices, into);
        for (let i = 0; i < indices.length; i += 2) into.input?.fill(Number.NaN, i * 7, i * 7 + 1);
      },
    };
    await checkBaselineParity({ engine, model, fitted, info, samples });
  });

  test('predict answers for the rows of a CSV file', async () => {
    const model = await trees();
    const [file, rows] = [join(dir, 'trees.onnx'), join(dir, 'rows.csv')];
    await writeFile(file, sealModel(model));
    await writeFile(rows, 'size,color,noise\n0.9,blue,0\n0.1,red,0\n');
    const { predictions } = await predictFiles(engine, file, [rows]);
    assert.deepEqual(
      predictions.map((one) => ('class' in one ? one.class : one)),
      ['c', 'a'],
    );
    const [first] = predictions;
    assert.ok(first && 'probabilities' in first && (first.probabilities.c ?? 0) > 0.8);
  });

  test('a file of other predictions is not handed over', async () => {
    const data = await tableData('regression');
    const { model, info } = await exported(data);
    const { fitted } = await exported(data, linear);
    const request = { engine, model, fitted, info, samples: data.search.valid };
    await assert.rejects(checkBaselineParity(request), /differs from its own predictions/);
  });

  suite('forged trees are refused before ONNX Runtime sees them', () => {
    type Attribute = onnxProto.onnx.IAttributeProto;
    const forgeries: Readonly<Record<string, (attributes: Map<string, Attribute>) => void>> = {
      'a child outside of the tree': (a) => void a.get('nodes_truenodeids')?.ints?.splice(0, 1, 4000),
      'a cycle': (a) => void a.get('nodes_falsenodeids')?.ints?.splice(0, 1, 0),
      'a node of another tree': (a) => void a.get('nodes_treeids')?.ints?.splice(1, 1, 5),
      'a node that nothing leads to': (a) => {
        const ids = a.get('nodes_truenodeids')?.ints ?? [];
        ids[0] = a.get('nodes_falsenodeids')?.ints?.[0] ?? 0;
      },
      'a feature that the input does not have': (a) => void a.get('nodes_featureids')?.ints?.splice(0, 1, 7),
      'a negative feature': (a) => void a.get('nodes_featureids')?.ints?.splice(0, 1, -1),
      'another question': (a) =>
        void a.get('nodes_modes')?.strings?.splice(0, 1, new TextEncoder().encode('BRANCH_EQ')),
      'a value of no output': (a) => void a.get('target_ids')?.ints?.splice(0, 1, 3),
      'a value of a node that is no leaf': (a) => void a.get('target_nodeids')?.ints?.splice(0, 1, 0),
      'a leaf with two values': (a) => {
        const ids = a.get('target_nodeids')?.ints ?? [];
        ids[0] = ids[1] ?? 0;
      },
      'fewer thresholds than nodes': (a) => void a.get('nodes_values')?.floats?.pop(),
      'more outputs': (a) => void Object.assign(a.get('n_targets') ?? {}, { i: 4 }),
      'no thresholds': (a) => void a.delete('nodes_values'),
      'a setting of no export': (a) =>
        void a.set('post_transform', {
          ...{ name: 'post_transform', type: onnxProto.onnx.AttributeProto.AttributeType.STRING },
          s: new TextEncoder().encode('SOFTMAX'),
        }),
    };
    async function forged(change: (node: onnxProto.onnx.INodeProto, proto: onnxProto.onnx.ModelProto) => void) {
      const proto = ModelProto.decode(await trees());
      const node = proto.graph?.node?.find(({ domain }) => domain === 'ai.onnx.ml');
      assert.ok(node);
      change(node, proto);
      return ModelProto.encode(proto).finish();
    }
    const refused = (model: Uint8Array) =>
      assert.throws(() => readModel('model "x"', model), { name: 'UserError', message: /model "x".*its graph/ });

    for (const [what, forge] of Object.entries(forgeries))
      test(what, async () => {
        const model = await forged((node) => {
          const attributes = new Map((node.attribute ?? []).map((one) => [one.name ?? '', one]));
          forge(attributes);
          node.attribute = [...attributes.values()];
        });
        refused(model);
      });

    test('a chain as deep as it has nodes', async () => {
      const model = await forged((node) => {
        const depth = 3000;
        const count = 2 * depth + 1;
        const attributes = new Map((node.attribute ?? []).map((one) => [one.name ?? '', one]));
        const of = (name: string) => attributes.get(name) ?? {};
        const nodes = Array.from({ length: count }, (_, i) => i);
        const isLeaf = (i: number) => i === count - 1 || i % 2 === 1;
        const leaves = nodes.filter(isLeaf);
        const mode = (text: string) => new TextEncoder().encode(text);
        const zeros = nodes.map(() => 0);
        of('nodes_treeids').ints = zeros;
        of('nodes_nodeids').ints = nodes;
        of('nodes_modes').strings = nodes.map((i) => mode(isLeaf(i) ? 'LEAF' : 'BRANCH_LEQ'));
        of('nodes_featureids').ints = zeros;
        of('nodes_values').floats = zeros;
        of('nodes_missing_value_tracks_true').ints = zeros;
        of('nodes_truenodeids').ints = nodes.map((i) => (isLeaf(i) ? 0 : i + 1));
        of('nodes_falsenodeids').ints = nodes.map((i) => (isLeaf(i) ? 0 : i + 2));
        of('target_treeids').ints = leaves.map(() => 0);
        of('target_nodeids').ints = leaves;
        of('target_ids').ints = leaves.map(() => 0);
        of('target_weights').floats = leaves.map(() => 0);
      });
      assert.throws(() => readModel('model "x"', model), { name: 'UserError', message: /too deep/ });
    });

    test('100 numbers changed at random: refused in our words, or an answer', async () => {
      const model = await trees();
      const [file, rows] = [join(dir, 'forged.onnx'), join(dir, 'forged.csv')];
      await writeFile(rows, 'size,color,noise\n0.9,blue,0\n');
      let refusals = 0;
      for (let round = 0; round < 100; round++) {
        const random = rng('forged trees', round);
        const proto = ModelProto.decode(model);
        const node = proto.graph?.node?.find(({ domain }) => domain === 'ai.onnx.ml');
        const lists = (node?.attribute ?? []).flatMap(({ ints, floats }) => [ints ?? [], floats ?? []]);
        const list = random.pick(lists.filter(({ length }) => length > 0));
        const number = random.pick([-1, 0, 1, 2, 3, 7, 30, 1e6, 2 ** 31, random.int(2000)]);
        list[random.int(list.length)] = number;
        await writeFile(file, ModelProto.encode(proto).finish());
        try {
          const { predictions } = await predictFiles(engine, file, [rows]);
          assert.ok(predictions.every((one) => 'class' in one || 'error' in one));
        } catch (error) {
          assert.ok(error instanceof Error && error.name === 'UserError', `round ${round}: ${error}`);
          assert.doesNotMatch(error.message, /onnxruntime|protobuf|\.cc:|cannot load/i);
          refusals++;
        }
      }
      assert.ok(refusals > 25, `${refusals} of 100 were refused`);
    });

    test('another operator, or another version, of the trees', async () => {
      refused(await forged((node) => void Object.assign(node, { opType: 'TreeEnsembleClassifier' })));
      refused(await forged((node) => void Object.assign(node, { domain: 'com.microsoft' })));
      refused(await forged((node) => void Object.assign(node, { domain: '' })));
      refused(await forged((_, proto) => void Object.assign(proto.opsetImport[1] ?? {}, { version: 1 })));
      refused(await forged((_, proto) => void Object.assign(proto.opsetImport[1] ?? {}, { domain: 'com.microsoft' })));
    });
  });
});
