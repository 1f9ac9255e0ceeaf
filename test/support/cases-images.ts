import type { Case } from './cases.ts';

/** The folders of images among `../shared/cases`. */
export const IMAGE_CASES: readonly Case[] = [];
