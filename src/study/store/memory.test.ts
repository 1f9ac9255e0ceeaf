import { memoryStore } from './memory.ts';
import { storeConformance } from './testing/conformance.ts';

storeConformance('memory', async (study) => memoryStore(study));
