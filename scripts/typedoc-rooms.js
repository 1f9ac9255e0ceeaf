// A plugin of TypeDoc: each declaration is in the category of its room, the folder of src/ that declares it (docs/ARCHITECTURE.md).
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// `npm run docs` fetches TypeDoc into a folder of npx; this file is not in it.
const typedoc = createRequire(process.argv[1] ?? import.meta.url).resolve('typedoc');
const { Comment, CommentTag, Converter, ReflectionKind } = await import(pathToFileURL(typedoc).href);

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (!reflection.parent?.kindOf(ReflectionKind.Module | ReflectionKind.Project)) return;
    const [declaration] = context.getSymbolFromReflection(reflection)?.declarations ?? [];
    const room = /[\\/]src[\\/]([a-z-]+)[\\/]/.exec(declaration?.getSourceFile().fileName ?? '')?.[1];
    if (room === undefined) return;
    reflection.comment ??= new Comment();
    reflection.comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: room }]));
  });
}
