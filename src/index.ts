export { UserError } from './common/errors.ts';
