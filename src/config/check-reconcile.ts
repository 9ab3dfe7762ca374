/** Statements bill providers that are configured. */
import { type Found, found } from './explain.ts'
import { closest } from './suggest.ts'

interface Written {
  readonly sources: Readonly<Record<string, { readonly providers?: readonly string[] | undefined }>>
}

export function checkReconcile(reconcile: Written | undefined, providers: Readonly<Record<string, unknown>>): Found[] {
  const ids = Object.keys(providers)
  return Object.entries(reconcile?.sources ?? {}).flatMap(([name, { providers: named }]) => {
    const problem = (id: string, keys: readonly PropertyKey[], remedy: string): Found[] => {
      if (Object.hasOwn(providers, id)) return []
      const near = closest(id, ids)
      return [found(keys, `there is no provider \`${id}\``, near ? `did you mean \`${near}\`?` : remedy)]
    }
    const keys = ['reconcile', 'sources', name]
    if (!named) return problem(name, keys, 'write `providers:` with the ids that the statement bills')
    return named.flatMap((id, index) => problem(id, [...keys, 'providers', index], 'a statement bills providers of `providers:`'))
  })
}
