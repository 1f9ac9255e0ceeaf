/** The colors of figures: variables of the page (`style.ts`), so that a figure follows its theme. Plots and pictures share them. */
export const QUIET = 'var(--dot)';
export const STRONG = 'var(--accent)';
export const ACCENT = 'var(--warm)';
export const INK = 'currentColor';
