/**
 * The same memory under several shapes: operators that do not care take operands as they are at hand, so that few of the
 * graph's changes of shape cost a node.
 */
import type { Shape } from '../../graph/ir.ts';
import type { ModelBuilder } from './model.ts';

/** A tensor whose size does not depend on an open batch, under the shape that the graph gives it. */
export interface Operand {
  readonly name: string;
  readonly shape: Shape;
}

/** What counts when shapes are broadcast: axes of length one in front do not. */
const tail = (shape: Shape): string => shape.slice(shape.findIndex((n) => n !== 1)).join();

/** The shapes in which an operand can be read without another node. */
function formsOf(model: ModelBuilder, { name, shape }: Operand): readonly Shape[] {
  const known = model.shapesOf(name);
  return known.length === 0 ? [shape] : known;
}

/** The operand in the form that is broadcast: under this shape, or one of no more axes that differs in ones in front alone. */
export function broadcastForm(model: ModelBuilder, operand: Operand, shape: Shape): Operand {
  const wanted = tail(shape);
  const fits = (form: Shape) => form.length <= shape.length && tail(form) === wanted;
  const form = formsOf(model, operand).find(fits) ?? shape;
  return { name: model.view(operand.name, form, operand.shape), shape: form };
}

/**
 * An element-wise operator of this result. Where its operands have one shape, but for single numbers, it works on the shape in
 * which most of them are at hand.
 */
export function elementwise(
  model: ModelBuilder,
  make: (names: readonly string[]) => string,
  operands: readonly Operand[],
  shape: Shape,
): string {
  const whole = operands.filter((operand) => operand.shape.length > 0);
  const same = whole.every((operand) => `${operand.shape}` === `${shape}`);
  const forms = same ? whole.map((operand) => formsOf(model, operand)) : [];
  const views = (to: Shape) => forms.filter((own) => !own.some((form) => tail(form) === tail(to))).length;
  const common = [shape, ...forms.flat()].reduce((best, form) => (views(form) < views(best) ? form : best));
  const taken = operands.map((operand) => {
    if (!same || operand.shape.length === 0) return broadcastForm(model, operand, operand.shape);
    const form = formsOf(model, operand).find((own) => tail(own) === tail(common)) ?? common;
    return { name: model.view(operand.name, form, operand.shape), shape: form };
  });
  const made = make(taken.map(({ name }) => name));
  return model.view(made, shape, taken.map((operand) => operand.shape).reduce(broadcast));
}

/** The shape that two compatible shapes give together. */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1),
  );
}

/** Vectors end to end: as they are, or as rows [1, n], whichever most are at hand as. */
export function joinVectors(model: ModelBuilder, parts: readonly Operand[], shape: Shape): string {
  const count = (rank: number) =>
    parts.filter((part) => formsOf(model, part).some((form) => form.length === rank && tail(form) === tail(part.shape)))
      .length;
  const ones = count(2) > count(1) ? [1] : [];
  const names = parts.map((part) => model.view(part.name, [...ones, ...part.shape], part.shape));
  return model.view(model.node('Concat', names, { axis: ones.length }), shape, [...ones, ...shape]);
}
