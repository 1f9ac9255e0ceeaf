import type { Case } from './cases.ts';

/** The folders of images among `../shared/cases`. */
export const IMAGE_CASES: readonly Case[] = [
  { input: 'img-control/d', expect: { accuracy: 0.99, classes: 2, note: /^40 images in 2 class folders/m } },
  { input: 'img-bmp-mixed/d', expect: { accuracy: 0.99, note: /^40 images in 2 class folders/m } },
  { input: 'img-jfif/d', expect: { accuracy: 0.99, note: /^40 images in 2 class folders/m } },
  { input: 'img-dir-named-jpg/d', expect: { accuracy: 0.99, note: /^41 images in 2 class folders/m } },
  { input: 'img-eadir/d', expect: { accuracy: 0.99, note: /^40 images in 2 class folders/m } },
  { input: 'img-macosx/d', expect: { accuracy: 0.99, note: /^40 images in 2 class folders/m } },
  {
    input: 'img-float-tiff/d',
    expect: { accuracy: 0.99, note: /\(float\) have values from .*; 0 to 1 is rescaled to 0 to 255/ },
  },
  { input: 'img-transparent-black/d', expect: { accuracy: 0.9, note: /Transparent pixels are filled with white/ } },
  {
    input: 'img-split-Training-Testing/d',
    expect: { accuracy: 0.99, classes: 2, note: /^16 test images in the folder "Testing"/m },
  },
  {
    input: 'img-split-Train-Test/d',
    expect: { accuracy: 0.99, classes: 2, note: /^16 test images in the folder "Test"/m },
  },
  {
    input: 'img-split-TRAIN-val/d',
    expect: { accuracy: 0.99, classes: 2, note: /^16 test images in the folder "TEST"/m },
  },
  { input: 'img-split-valid-test/d', expect: { refused: /the splits "test", "valid", but no training split/ } },
  { input: 'img-unicode/d', expect: { accuracy: 0.99, classes: 2, note: /^10 test images in the folder "test"/m } },
  { input: 'img-unicode/d2', expect: { accuracy: 0.99, classes: 2 } },
];
