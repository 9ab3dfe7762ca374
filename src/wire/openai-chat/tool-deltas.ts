/**
 * Tool calls as they arrive: whole or in pieces, told apart by index, by id, or by nothing at all. Arguments come as
 * text, as an object, or encoded twice.
 */
import type { Event } from '../../core/event.ts'
import { isFilled, isNumber, isObject, isString, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import { uncarry } from '../carrier.ts'

interface CallState {
  readonly part: number
  readonly index: number | undefined
  id: string
  name: string
  freeform: boolean
  started: boolean
  /** Text that came before the name, or that may be encoded twice. */
  held: string
  doubtful: boolean
  /** Some text has gone out: what follows is more of it. */
  plain: boolean
  signatures: string[]
}

export class ToolDeltas {
  readonly #calls: CallState[] = []
  readonly #nextPart: () => number

  constructor(nextPart: () => number) {
    this.#nextPart = nextPart
  }

  get any(): boolean {
    return this.#calls.length > 0
  }

  push(piece: Json, out: Event[]): void {
    if (!isObject(piece)) return
    const given = givenIn(piece)
    const { index } = piece
    const id = isFilled(piece['id']) ? piece['id'] : ''
    const name = isFilled(given['name']) ? given['name'] : ''
    let call = this.#find(isNumber(index) ? index : undefined, id, name)
    if (!call || (id !== '' && call.id !== '' && id !== call.id && name !== '')) {
      call = {
        part: this.#nextPart(),
        index: isNumber(index) ? index : undefined,
        id,
        name,
        freeform: given === piece['custom'] || (piece['type'] === 'custom' && !isObject(piece['function'])),
        started: false,
        held: '',
        doubtful: false,
        plain: false,
        signatures: [],
      }
      this.#calls.push(call)
    }
    if (call.id === '') call.id = id
    if (call.name === '') call.name = name
    const signature = signatureOf(piece)
    if (signature !== undefined) call.signatures.push(signature)
    if (call.name !== '') this.#start(call, out)
    const text = given['arguments'] ?? given['input']
    if (isString(text)) this.#text(call, text, out)
    else if (isObject(text)) this.#text(call, JSON.stringify(text), out)
  }

  /** The whole answer's signature (Google), when no call carries one of its own: it belongs to the first. */
  sign(signature: string, out: Event[]): void {
    const [call] = this.#calls
    if (call?.started) seal(call.part, signature, out)
  }

  end(out: Event[]): void {
    for (const call of this.#calls) {
      this.#start(call, out)
      const text = call.doubtful ? unwrapped(call.held) : call.held
      if (text !== '') out.push({ type: 'text-delta', index: call.part, text })
      out.push({ type: 'part-end', index: call.part })
    }
  }

  #find(index: number | undefined, id: string, name: string): CallState | undefined {
    if (index !== undefined) return this.#calls.findLast((call) => call.index === index)
    if (id !== '') return this.#calls.find((call) => call.id === id)
    // Without index and id a name begins another call.
    return name === '' ? this.#calls.at(-1) : undefined
  }

  #start(call: CallState, out: Event[]): void {
    if (!call.started) {
      call.started = true
      const { id, name } = call
      out.push({ type: 'part-start', index: call.part, kind: 'tool-call', id, name, ...(call.freeform && { freeform: true }) })
    }
    for (const signature of call.signatures.splice(0)) seal(call.part, signature, out)
  }

  #text(call: CallState, text: string, out: Event[]): void {
    if (text === '') return
    call.held += text
    if (!call.started) return
    // Arguments are an object: a string in their place is JSON in JSON.
    if (!call.plain && !call.freeform && (call.doubtful || call.held.startsWith('"'))) {
      call.doubtful = true
      return
    }
    out.push({ type: 'text-delta', index: call.part, text: call.held })
    call.held = ''
    call.plain = true
  }
}

/** What a piece says, in either form. Some hosts send both, one of them empty. */
function givenIn(piece: JsonObject): JsonObject {
  const forms = [piece['function'], piece['custom']].filter(isObject)
  const says = (value: Json | undefined): boolean => isFilled(value) || isObject(value)
  return forms.find((form) => isFilled(form['name']) || says(form['arguments'] ?? form['input'])) ?? forms[0] ?? {}
}

function seal(part: number, signature: string, out: Event[]): void {
  for (const sealed of uncarry(signature) ?? [{ vendor: 'google', kind: 'thought-signature', value: signature } as const])
    out.push({ type: 'part-sealed', index: part, sealed })
}

/** Google's compatible API: `extra_content.google.thought_signature`. */
export function signatureOf(value: JsonObject): string | undefined {
  const extra = value['extra_content']
  const google = isObject(extra) ? extra['google'] : undefined
  const signature = isObject(google) ? google['thought_signature'] : undefined
  return isFilled(signature) ? signature : undefined
}

function unwrapped(text: string): string {
  const value = parseJson(text)
  return isString(value) && isObject(parseJson(value)) ? value : text
}
