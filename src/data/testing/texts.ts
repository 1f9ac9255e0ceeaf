/** Reviews that a word or two tell apart, for tests of texts with classes. */

const GOOD = ['Fine food', 'A fine place, really', 'very good', 'fine and good!'];
const BAD = ['Bad food', 'a bad, bad place', 'very poor', 'poor and "bad"'];

export interface Review {
  readonly text: string;
  readonly stars: 1 | 5;
}

/** `count` reviews, all different, good and bad ones in turn. */
export const reviews = (count: number): readonly Review[] =>
  Array.from({ length: count }, (_, i) => ({
    text: `${(i % 2 === 0 ? GOOD : BAD)[(i >> 1) % 4]} ${i}`,
    stars: i % 2 === 0 ? 5 : 1,
  }));

export const REVIEW_COLUMNS = 'review,source,stars';

/** Lines of a table of such reviews, with a header. */
export const reviewTable = (count: number): readonly string[] => [
  REVIEW_COLUMNS,
  ...reviews(count).map(({ text, stars }) => `"${text.replaceAll('"', '""')}",web,${stars}`),
];
