/**
 * The notation of the space `hierarchical`: the motifs, each with its edges; edges that are not named are none.
 * `motif2.1 0->1=sepConv3x3 1->3=sepConv3x3 0->3=identity | cell 0->1=motif2.1 1->4=motif2.1`
 */
import { invalid } from '../../../common/errors.ts';
import type { DecisionValue, TextForm } from '../../space.ts';
import { edgeOf, type HierarchyOptions, motifsOf, NONE, pairsOf } from './hierarchical-motifs.ts';

const FORM = 'MOTIF FROM->TO=OPERATION ..., as in cell 0->1=motif2.1';

export function hierarchyText(options: HierarchyOptions): TextForm {
  const motifs = motifsOf(options);
  return {
    format: (architecture) =>
      motifs
        .flatMap(({ name, nodes }) => {
          const edges = pairsOf(nodes).flatMap(([from, to]) => {
            const label = architecture[edgeOf(name, from, to)];
            return label === NONE ? [] : [`${from}->${to}=${label}`];
          });
          return edges.length === 0 ? [] : [[name, ...edges].join(' ')];
        })
        .join(' | '),
    parse(text) {
      const place = `architecture "${text.length > 60 ? `${text.slice(0, 60)}...` : text}"`;
      const found: Record<string, DecisionValue> = {};
      for (const { name, nodes } of motifs)
        for (const [from, to] of pairsOf(nodes)) found[edgeOf(name, from, to)] = NONE;
      const seen = new Set<string>();
      for (const [i, part] of text.split('|').entries()) {
        const [name = '', ...edges] = part.trim().split(/\s+/u);
        const motif = motifs.find((one) => one.name === name);
        const names = motifs.map((one) => one.name).join(', ');
        if (motif === undefined) throw invalid(place, `part ${i + 1} is "${name}"`, `must be one of ${names}`);
        if (seen.has(name)) throw invalid(place, `"${name}" is given twice`, 'must be given once');
        seen.add(name);
        const given = new Set<string>();
        for (const edge of edges) {
          const [, from = '', to = '', label] = /^(\d+)->(\d+)=(.+)$/u.exec(edge) ?? [];
          if (label === undefined) throw invalid(place, `an edge of ${name} is "${edge}"`, `must be ${FORM}`);
          if (Number(from) >= Number(to) || Number(to) >= motif.nodes)
            throw invalid(
              place,
              `an edge of ${name} is "${edge}"`,
              `must lead to a later node, at most ${motif.nodes - 1}`,
            );
          if (![NONE, ...motif.labels].includes(label))
            throw invalid(
              place,
              `an edge of ${name} is "${label}"`,
              `must be one of ${[NONE, ...motif.labels].join(', ')}`,
            );
          const decision = edgeOf(name, Number(from), Number(to));
          if (given.has(decision))
            throw invalid(place, `edge ${from}->${to} of ${name} is given twice`, 'must be given once');
          given.add(decision);
          found[decision] = label;
        }
      }
      return found;
    },
  };
}
