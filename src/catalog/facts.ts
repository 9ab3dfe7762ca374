/** Model facts as models.dev publishes them, and as `scripts/catalog.ts` and `catalog sync` read them. */
import { isFilled, isNumber, isObject, type Json, type JsonObject } from '../core/json.ts'

export interface ModelFacts {
  readonly name: string
  readonly family?: string
  readonly status?: string
  readonly release_date?: string
  readonly tool_call?: boolean
  readonly reasoning?: boolean
  readonly structured_output?: boolean
  readonly temperature?: boolean
  readonly open_weights?: boolean
  readonly interleaved?: boolean | { readonly field?: string }
  readonly modalities?: { readonly input?: readonly string[]; readonly output?: readonly string[] }
  readonly limit?: { readonly context?: number; readonly output?: number; readonly input?: number }
  readonly reasoning_options?: readonly JsonObject[]
  readonly cost?: JsonObject
  /** Where this one model departs from its provider. */
  readonly provider?: { readonly npm?: string; readonly api?: string; readonly shape?: string }
}

export interface ProviderFacts {
  readonly name: string
  readonly npm?: string
  readonly api?: string
  readonly doc?: string
  readonly env: readonly string[]
  readonly models: Readonly<Record<string, ModelFacts>>
}

export type Facts = Readonly<Record<string, ProviderFacts>>

/**
 * The facts in a parsed document: `{ id: provider }`, or the same under `providers`. Throws an Error that names the
 * place when the document is something else. What is odd about one model is left out, not guessed.
 */
export function factsOf(document: Json | undefined): Facts {
  const providers = isObject(document) && isObject(document['providers']) ? document['providers'] : document
  if (!isObject(providers)) throw new Error('not a catalogue: an object of providers was expected')
  const facts: Record<string, ProviderFacts> = {}
  for (const [id, provider] of Object.entries(providers)) {
    if (!isObject(provider) || !isObject(provider['models'])) throw new Error(`not a catalogue: ${id}.models is not an object`)
    if (!/^[a-z0-9][a-z0-9._-]*$/.test(id)) throw new Error(`not a catalogue: ${JSON.stringify(id)} is not a provider id`)
    const env = Array.isArray(provider['env']) ? provider['env'].filter(isFilled) : []
    const models: Record<string, ModelFacts> = {}
    for (const [name, model] of Object.entries(provider['models'])) {
      if (!isObject(model)) throw new Error(`not a catalogue: ${id}.models.${name} is not an object`)
      models[name] = modelFactsOf(name, model)
    }
    facts[id] = {
      name: isFilled(provider['name']) ? provider['name'] : id,
      env,
      models,
      ...(isFilled(provider['npm']) && { npm: provider['npm'] }),
      ...(isFilled(provider['api']) && { api: provider['api'] }),
      ...(isFilled(provider['doc']) && { doc: provider['doc'] }),
    }
  }
  if (Object.keys(facts).length === 0) throw new Error('not a catalogue: it holds no provider')
  return facts
}

function modelFactsOf(id: string, model: JsonObject): ModelFacts {
  const text = (key: string): string | undefined => (isFilled(model[key]) ? (model[key] as string) : undefined)
  const flag = (key: string): boolean | undefined => (typeof model[key] === 'boolean' ? (model[key] as boolean) : undefined)
  const limit = isObject(model['limit']) ? model['limit'] : {}
  const modalities = isObject(model['modalities']) ? model['modalities'] : {}
  const list = (value: Json | undefined): string[] => (Array.isArray(value) ? value.filter(isFilled) : [])
  const count = (value: Json | undefined): number | undefined => (isNumber(value) && value > 0 ? value : undefined)
  const interleaved = model['interleaved']
  const override = isObject(model['provider']) ? model['provider'] : undefined
  const options = model['reasoning_options']
  const facts: ModelFacts = {
    name: text('name') ?? id,
    family: text('family'),
    status: text('status'),
    release_date: text('release_date'),
    tool_call: flag('tool_call'),
    reasoning: flag('reasoning'),
    structured_output: flag('structured_output'),
    temperature: flag('temperature'),
    open_weights: flag('open_weights'),
    interleaved:
      interleaved === true ? true : isObject(interleaved) && isFilled(interleaved['field']) ? { field: interleaved['field'] } : undefined,
    modalities: { input: list(modalities['input']), output: list(modalities['output']) },
    limit: { context: count(limit['context']), output: count(limit['output']), input: count(limit['input']) },
    reasoning_options: Array.isArray(options) ? options.filter(isObject) : undefined,
    cost: isObject(model['cost']) ? model['cost'] : undefined,
    provider: override
      ? {
          ...(isFilled(override['npm']) && { npm: override['npm'] }),
          ...(isFilled(override['api']) && { api: override['api'] }),
          ...(isFilled(override['shape']) && { shape: override['shape'] }),
        }
      : undefined,
  } as ModelFacts
  return facts
}
