/**
 * A network that cannot be trained: it cannot be built for this task, or its loss is not finite any more. The message is
 * the reason, a sentence for people; an estimator lets the trial fail with it.
 */
export class TrainingFailure extends Error {
  override readonly name: string = 'TrainingFailure';
}

/** A network whose training needs more memory than there is for it. */
export class MemoryShortage extends TrainingFailure {
  override readonly name = 'MemoryShortage';
}
