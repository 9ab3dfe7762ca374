/** Describes the request to a target: the client's own bytes where the wires are equal, else its call in the target's words. */
import type { ChatCall } from '../core/call.ts'
import { GatewayError } from '../core/error.ts'
import type { UpstreamRequest } from '../core/http.ts'
import type { Inquiry, SteeredMembers } from '../core/inquiry.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import { type Edit, editMembers, type Span, scanMembers } from '../core/members.ts'
import { type Drop, Notes } from '../core/notes.ts'
import type { Candidate, Quirks, Target } from '../core/target.ts'
import type { Restoration } from '../wire/restore.ts'
import type { Wire } from '../wire/wire.ts'
import type { Provider } from './provider.ts'
import { mustRewrite } from './rewrite.ts'

export interface Prepared {
  readonly request: UpstreamRequest
  readonly target: Target
  /** The answer's bytes are the caller's: the wires are equal and nothing has to be put in. */
  readonly same: boolean
  readonly drops: readonly Drop[]
  readonly restore?: Restoration
  /** The body as an object, for a paused answer that has to be continued. Translated calls only. */
  readonly body?: JsonObject
  /** The usage chunk was asked for by the gateway, not by the caller. */
  readonly hideUsage: boolean
}

/** Fields that steer a gateway and mean nothing to a provider. */
const STEERING = ['signalbox'] as const

export function prepare(inquiry: Inquiry, candidate: Candidate, wire: Wire, provider: Provider, keyIndex: number): Prepared {
  const target = candidate.on(wire.id)
  const ownWire = wire.id === inquiry.wire && inquiry.callFor === undefined
  const url = provider.url(wire.id, inquiry.op, candidate.model, inquiry.streamed)
  const headers = provider.headers(wire.id, keyIndex, inquiry.streamed)
  const { connectMs } = candidate.timeouts
  if (ownWire && !mustRewrite(inquiry, target)) {
    const { text, hideUsage, drops } = sameWire(inquiry, target, candidate.takesSteering === true)
    if (drops.length > 0 && inquiry.strict) throw lossy(drops)
    return {
      target,
      same: !inquiry.inlineCost,
      drops,
      hideUsage,
      request: {
        method: 'POST',
        url: withQuery(url, inquiry.query),
        headers: withClientHeaders(headers, inquiry, candidate.headers),
        body: text,
        connectMs,
      },
    }
  }
  const notes = new Notes()
  const call = steeredCall(inquiry.callFor ? inquiry.callFor(target) : inquiry.call(), inquiry.steered, candidate)
  for (const { path, reason } of inquiry.rounded) notes.dropped(path, reason)
  const encoded = wire.encodeCall(call, target, notes)
  const body =
    inquiry.op === 'count'
      ? (wire.count?.request(encoded.body, target) ?? encoded.body)
      : target.body
        ? { ...encoded.body, ...target.body }
        : encoded.body
  if (notes.drops.length > 0 && inquiry.strict) throw lossy(notes.drops)
  // The wire is the caller's: its answer may go out as it comes, unless something in it has to be undone.
  const same = ownWire && !inquiry.inlineCost && encoded.restore === undefined
  return {
    target,
    same,
    drops: notes.drops,
    restore: encoded.restore,
    body: same ? undefined : body,
    hideUsage: same && inquiry.streamed && call.streamUsage !== true,
    request: {
      method: 'POST',
      url,
      headers: withHeaders(ownWire ? withClientHeaders(headers, inquiry, undefined) : headers, encoded.headers, candidate.headers),
      body: JSON.stringify(body),
      connectMs,
    },
  }
}

/** The later word stands, but lists of betas are joined. */
function withHeaders(
  headers: Readonly<Record<string, string>>,
  ...others: readonly (Readonly<Record<string, string>> | undefined)[]
): Readonly<Record<string, string>> {
  let merged = headers
  for (const other of others) {
    if (!other) continue
    const betas = [merged['anthropic-beta'], other['anthropic-beta']].filter((list) => list !== undefined)
    merged = betas.length > 1 ? { ...merged, ...other, 'anthropic-beta': betas.join(',') } : { ...merged, ...other }
  }
  return merged
}

function lossy(drops: readonly Drop[]): GatewayError {
  const [first] = drops
  const list = drops.slice(0, 10).map(({ path, reason }) => `${path} (${reason})`)
  return new GatewayError(
    'lossy-translation',
    `Strict mode: the target cannot be told ${list.join(', ')}${drops.length > 10 ? ` and ${drops.length - 10} more` : ''}.`,
    {
      path: first?.path,
      shouldRetry: false,
    },
  )
}

/** The client's text with only what must change: the model's name, the usage chunk, what steers the gateway, the host's spellings. */
function sameWire(
  inquiry: Inquiry,
  { model, quirks, body, wire }: Target,
  takesSteering: boolean,
): { text: string; hideUsage: boolean; drops: readonly Drop[] } {
  const { scan, json, text } = inquiry
  const edits: Edit[] = []
  const drops: Drop[] = []
  // Gemini has the model in the path; Azure's clients have it there too.
  if (json['model'] !== model && (wire !== 'gemini' || scan.members.has('model'))) edits.push({ set: 'model', json: JSON.stringify(model) })
  for (const name of STEERING) if (scan.members.has(name)) edits.push({ remove: name })
  if (inquiry.steered) unsteer(inquiry.steered, json, takesSteering, edits)
  let hideUsage = false
  if (wire === 'openai-chat') {
    hideUsage = askForUsage(inquiry, quirks, edits)
    applyQuirks(inquiry, quirks, edits, drops)
  }
  if (body) inject(body, edits)
  return { text: edits.length === 0 ? text : editMembers(text, scan, edits), hideUsage, drops }
}

/** What steered the gateway in another one's words goes only to a host that reads it too. */
function unsteer({ fields, ours, taggedMetadata }: SteeredMembers, json: JsonObject, takesSteering: boolean, edits: Edit[]): void {
  for (const name of takesSteering ? ours : fields) edits.push({ remove: name })
  if (!taggedMetadata || takesSteering) return
  const metadata = withoutTags(json['metadata'])
  edits.push(metadata ? { set: 'metadata', json: JSON.stringify(metadata) } : { remove: 'metadata' })
}

/** The same for a decoded call. What has been given effect is no loss. */
function steeredCall(call: ChatCall, steered: SteeredMembers | undefined, { takesSteering = false }: Candidate): ChatCall {
  if (!steered) return call
  const gone = takesSteering ? steered.ours : steered.fields
  const extras = call.extras && Object.fromEntries(Object.entries(call.extras).filter(([name]) => !gone.includes(name)))
  const { metadata, ...settings } = call.settings
  const kept = steered.taggedMetadata && !takesSteering ? withoutTags(metadata) : metadata
  return { ...call, ...(extras && { extras }), settings: kept ? { ...settings, metadata: kept } : settings }
}

/** Undefined when nothing else stands there. */
function withoutTags(metadata: unknown): JsonObject | undefined {
  if (!isObject(metadata)) return undefined
  const { tags: _, ...rest } = metadata
  return Object.keys(rest).length > 0 ? rest : undefined
}

function inject(body: JsonObject, edits: Edit[]): void {
  // What the host calls otherwise must not stand beside the injected value.
  for (const [index, edit] of edits.entries()) if ('rename' in edit && Object.hasOwn(body, edit.to)) edits[index] = { remove: edit.rename }
  for (const [name, value] of Object.entries(body)) edits.push({ set: name, json: JSON.stringify(value) })
}

/** Accounting needs the usage chunk; a caller that did not ask for it will not see it. */
function askForUsage({ json, streamed, text, scan }: Inquiry, quirks: Quirks, edits: Edit[]): boolean {
  if (!streamed) return false
  const options = isObject(json['stream_options']) ? json['stream_options'] : undefined
  if (options?.['include_usage'] === true) return false
  // Whatever else stands there is for the provider to refuse.
  if (!options && json['stream_options'] !== undefined && json['stream_options'] !== null) return false
  if (!quirks.noStreamOptions) edits.push({ set: 'stream_options', json: withUsage(options && scan.members.get('stream_options'), text) })
  return true
}

function withUsage(span: Span | undefined, text: string): string {
  if (!span) return '{"include_usage":true}'
  const options = text.slice(span.start, span.end)
  return editMembers(options, scanMembers(options), [{ set: 'include_usage', json: 'true' }])
}

function applyQuirks({ scan }: Inquiry, { rename, refuses, userField }: Quirks, edits: Edit[], drops: Drop[]): void {
  const renamed = (name: string, to: string): void => {
    if (!scan.members.has(to)) return void edits.push({ rename: name, to })
    edits.push({ remove: name })
    drops.push({ path: name, reason: `${to} stands beside it` })
  }
  if (rename) for (const [name, to] of Object.entries(rename)) if (scan.members.has(name)) renamed(name, to)
  if (refuses)
    for (const name of refuses) {
      if (!scan.members.has(name)) continue
      edits.push({ remove: name })
      drops.push({ path: name, reason: 'refused by this provider' })
    }
  if (userField && scan.members.has('user')) renamed('user', userField)
}

/** Headers of the client that speak to the vendor, not to the gateway. Its credentials are never among them. */
const PASSED = [
  'anthropic-version',
  'anthropic-beta',
  'openai-beta',
  'x-goog-api-client',
  'x-goog-user-project',
  'http-referer',
  'x-title',
  'idempotency-key',
] as const

function withClientHeaders(
  headers: Readonly<Record<string, string>>,
  { headers: client }: Inquiry,
  injected: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  let merged: Record<string, string> | undefined
  for (const name of PASSED) {
    const value = client[name]
    if (value === undefined) continue
    merged ??= { ...headers }
    merged[name] = value
  }
  return withHeaders(merged ?? headers, injected)
}

const withQuery = (url: string, query: string): string => (query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`)
