/** What a start prints: where it listens, what answers, and one command that works. */
import type { Config } from '../config/config.ts'

export interface GreetingParts {
  readonly url: string
  readonly config: Config
  readonly source: string | undefined
  /** The owner's key, when it was made at this start: it is shown this once. */
  readonly madeKey: string | undefined
}

export function greeting({ url, config, source, madeKey }: GreetingParts): string {
  const providers = [...config.providers.keys()]
  const model = exampleModel(config)
  const key = config.access.mode === 'keys' ? ' -H "authorization: Bearer $SIGNALBOX_ADMIN_KEY"' : ''
  const lines = [
    `Signalbox listens on ${url}${source === undefined ? ' (no config file: built-in defaults)' : ` (${source})`}`,
    `providers: ${providers.length === 0 ? 'none' : shortened(providers)}${config.models.size > 0 ? `  ·  routes: ${shortened([...config.models.keys()])}` : ''}`,
  ]
  if (madeKey !== undefined) lines.push(`owner's key, shown this once: ${madeKey}  (set SIGNALBOX_ADMIN_KEY to choose it yourself)`)
  if (model !== undefined)
    lines.push(
      `try: curl -s ${url}/v1/chat/completions${key} -H 'content-type: application/json' -d '{"model":"${model}","messages":[{"role":"user","content":"Hello"}]}'`,
    )
  if (source === undefined)
    lines.push(
      'next: the same model answers on /v1/responses, /v1/messages and /v1beta/models/…:generateContent; write signalbox.yaml to add providers (docs/guide/configuration.md)',
    )
  return `${lines.join('\n')}\n`
}

const SHOWN = 12
const shortened = (names: readonly string[]): string =>
  names.length > SHOWN ? `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more` : names.join(', ')

function exampleModel({ models, providers }: Config): string | undefined {
  const [route] = models.keys()
  if (route !== undefined) return route
  for (const [id, { preset }] of providers) if (preset === 'simulator') return `${id}/echo`
  return undefined
}
