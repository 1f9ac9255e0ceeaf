import { factsOf } from '../../task/index.ts';
import type { ReportData } from '../data.ts';
import { drawPanels } from '../drawing/draw.ts';
import { drawGenome } from '../drawing/genome.ts';
import { architectureText } from '../drawing/text.ts';
import { html, trusted } from '../markup.ts';
import { showBytes, showCount, showLarge } from '../numbers.ts';
import type { Section } from '../page.ts';
import { boxed, dataTable, factTable } from '../table.ts';

/** The winner's network: in its space's notation, drawn, and layer by layer. */
export async function architectureSection({ winner, data }: ReportData): Promise<Section | undefined> {
  if (winner === undefined) return undefined;
  const { network, costs } = winner;
  const [id, title, caption] = ['architecture', 'Architecture', `Trial ${winner.trial}, the winner.`];
  const notation = ['Notation', html`<code>${winner.architecture}</code>`] as const;
  const drawn = winner.genome && (await drawGenome(winner.genome.genome, winner.genome.shape));
  if (drawn !== undefined) {
    const body = html`${factTable(caption, [notation])}<div class="panels"><figure><figcaption>The genome, inputs above</figcaption>${boxed('The genome', false, trusted(drawn))}</figure></div>`;
    return { id, title, body };
  }
  if (network === undefined || costs === undefined) return { id, title, body: factTable(caption, [notation]) };
  const panels = await drawPanels(network, { title: `Architecture of trial ${winner.trial}` });
  const layers = dataTable({
    caption:
      'Per sample. FLOPs count multiply-accumulates; activation memory is what training stores for the backward pass (float32).',
    columns: [
      { head: 'Path', kind: 'text' },
      { head: 'Layer', kind: 'text' },
      { head: 'Output' },
      { head: 'Parameters' },
      { head: 'FLOPs' },
      { head: 'Activations' },
    ],
    rows: costs.layers.map((layer) => ({
      cells: [
        html`<code>${layer.path}</code>`,
        layer.kind,
        layer.output.join(' × '),
        { show: showCount(layer.params), sort: layer.params },
        { show: showCount(layer.flops), sort: layer.flops },
        { show: showBytes(layer.activationBytes), sort: layer.activationBytes },
      ],
    })),
    sortable: true,
    tall: costs.layers.length > 20,
  });
  return {
    id,
    title,
    body: html`${factTable(caption, [
      notation,
      ['Input', `[${data.input.join(', ')}]`],
      ['Output', `${data.outputs} ${factsOf(data).outputsName[data.outputs === 1 ? 'one' : 'many']}`],
      ['Parameters', showCount(costs.params)],
      ['FLOPs', `${showLarge(costs.flops)} multiply-accumulates per sample`],
      ['Activation memory', `${showBytes(costs.activationBytes)} per sample in training`],
    ])}<div class="panels">${panels.map(({ heading, svg }) => html`<figure><figcaption>${heading}</figcaption>${boxed(heading, false, trusted(svg))}</figure>`)}</div><details><summary>As text, with output shapes and costs</summary><pre tabindex="0">${architectureText(network, costs.layers)}</pre></details><details><summary>All ${costs.layers.length} layers</summary>${layers}</details>`,
  };
}
