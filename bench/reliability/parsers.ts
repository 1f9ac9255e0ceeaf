import type { Parser } from './parser.ts';
import { cifarFiles, idxFiles, imageFiles, tables } from './parsers/data.ts';
import { models, studies } from './parsers/files.ts';
import { architectures, configurations, json, spaceTexts } from './parsers/text.ts';

/** Every parser of what comes from outside. */
export const PARSERS: readonly Parser[] = [
  tables,
  imageFiles,
  idxFiles,
  cifarFiles,
  architectures,
  spaceTexts,
  configurations,
  studies,
  models,
  json,
];
