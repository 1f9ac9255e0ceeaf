import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sharedData } from '../../../common/testing/shared-data.ts';
import { networkCosts } from '../../../network/costs.ts';
import type { Task } from '../../space.ts';
import { formatArchitecture, parseArchitecture } from '../../tree/architecture.ts';
import { resolve } from '../../tree/resolve.ts';
import { darts, nasnet } from '../index.ts';

const task: Task = { kind: 'classification', input: [3, 32, 32], outputs: 10 };
const spaces = [darts, nasnet].map((definition) => definition.create(task, { channels: 36, cells: 20 }));
const [dartsSpace, nasnetSpace] = spaces as [(typeof spaces)[0], (typeof spaces)[0]];

/** Without the auxiliary head. */
function costsOf(name: string) {
  const space = Object.hasOwn(darts.published?.architectures ?? {}, name) ? dartsSpace : nasnetSpace;
  const { params, flops } = networkCosts(resolve(space, parseArchitecture(space, name)), task);
  return { params, flops };
}

test('published cells have exactly the parameters of the published code at 36 channels and 20 cells', () => {
  const expected = {
    DARTS_V1: 3_169_414,
    DARTS_V2: 3_349_342,
    'AmoebaNet-A': 3_145_078,
    'NASNet-A': 3_830_950,
    ENAS: 4_020_166,
    PC_DARTS_cifar: 3_634_678,
    PDARTS: 3_433_798,
    SNAS_mild: 2_661_382,
    GDAS_V1: 3_368_782,
  };
  for (const [name, params] of Object.entries(expected)) assert.equal(costsOf(name).params, params, name);
  // Multiply-accumulates, and one for each of the 10 biases of the linear layer.
  assert.equal(costsOf('DARTS_V1').flops, 500_987_520 + 10);
  assert.equal(costsOf('DARTS_V2').flops, 528_359_040 + 10);
});

const file = sharedData('genotypes.json');

interface Listed {
  readonly normal: readonly (readonly [string, number])[];
  readonly normal_concat: readonly number[];
  readonly reduce: readonly (readonly [string, number])[];
  readonly reduce_concat: readonly number[];
  readonly params_C36_L20_10classes_no_auxiliary: number;
  readonly macs_conv_and_linear_32x32: number;
}

/** As Python prints it. */
function pythonText({ normal, normal_concat, reduce, reduce_concat }: Listed): string {
  const list = (pairs: Listed['normal']) =>
    `[${pairs.map(([operation, from]) => `('${operation}', ${from})`).join(', ')}]`;
  return `Genotype(normal=${list(normal)}, normal_concat=[${normal_concat.join(', ')}], reduce=${list(reduce)}, reduce_concat=[${reduce_concat.join(', ')}])`;
}

test('the genotypes of the files are those here, and cost what they say', { skip: file.skip }, () => {
  const { genotypes } = JSON.parse(readFileSync(file.url, 'utf8')) as { genotypes: Record<string, Listed> };
  const names: Readonly<Record<string, string>> = { NASNet: 'NASNet-A', AmoebaNet: 'AmoebaNet-A', ENASNet: 'ENAS' };
  assert.equal(Object.keys(genotypes).length, 10);
  for (const [listedName, listed] of Object.entries(genotypes)) {
    const name = names[listedName] ?? listedName;
    const space = Object.hasOwn(names, listedName) ? nasnetSpace : dartsSpace;
    assert.deepEqual(parseArchitecture(space, pythonText(listed)), parseArchitecture(space, name), name);
    assert.deepEqual(
      costsOf(name),
      {
        params: listed.params_C36_L20_10classes_no_auxiliary,
        flops: listed.macs_conv_and_linear_32x32 + 10,
      },
      name,
    );
  }
});

test('every published cell is written as it is read, with the figures of its paper', () => {
  for (const [definition, space] of [
    [darts, dartsSpace],
    [nasnet, nasnetSpace],
  ] as const) {
    for (const [name, { text, quoted, paper }] of Object.entries(definition.published?.architectures ?? {})) {
      const architecture = parseArchitecture(space, name);
      assert.deepEqual(parseArchitecture(space, formatArchitecture(space, architecture)), architecture);
      // The order of a node's pairs is no part of a cell of darts.
      if (definition === nasnet) assert.equal(formatArchitecture(space, architecture), text);
      assert.match(paper, /\d{4}, arXiv:\d{4}\.\d{5}/u);
      const { params } = costsOf(name);
      assert.ok(quoted !== undefined && Math.abs(Math.log(params / quoted.params)) < 0.35, `${name}: ${params}`);
    }
  }
});
