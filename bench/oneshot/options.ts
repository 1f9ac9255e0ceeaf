/** `archLearningRate=0.01,cells=1` as values. Throws for anything else. */
export function optionsFrom(text: string | undefined): Readonly<Record<string, number | string | boolean>> {
  if (text === undefined) return {};
  const pairs = text.split(',').map((pair) => pair.split('='));
  return Object.fromEntries(
    pairs.map(([name = '', value = '']) => {
      if (name === '' || value === '') throw new Error(`--set: "${text}"; must be name=value,name=value`);
      const number = Number(value);
      return [name, Number.isFinite(number) ? number : value === 'true' ? true : value === 'false' ? false : value];
    }),
  );
}
