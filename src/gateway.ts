/**
 * THE TRUNK: the life of a call, top to bottom. Read `converse`: endpoint → body → route → attempts → answer → outcome.
 * What happens in each step lives in its own folder; only this file knows them all.
 */

import { estimateTokens } from './accounting/estimate.ts'
import { type CostOf, type Outcome, outcomeOf, type Sink } from './accounting/outcome.ts'
import type { Admission, Place } from './admission/admission.ts'
import { afford, authorize, type DoorParts, identify, placeFor } from './admit.ts'
import { type Alarm, alarmAfter } from './core/alarm.ts'
import type { WireId } from './core/call.ts'
import { Cancellation } from './core/cancellation.ts'
import { GatewayError, gatewayErrorOf } from './core/error.ts'
import { type Exchange, elapsed } from './core/exchange.ts'
import { bytesOf, type HttpReply, type HttpRequest } from './core/http.ts'
import { newId } from './core/id.ts'
import type { Inquiry } from './core/inquiry.ts'
import { type Candidate, wireFor } from './core/target.ts'
import { textOf } from './core/text.ts'
import { type Deliveries, type Delivery, deliver } from './deliver.ts'
import { attemptAll, type Upstreams } from './egress/attempts.ts'
import { type BriefRefusal, briefRefusals } from './ingress/brief-refusals.ts'
import { steeringOf } from './ingress/compat/steering.ts'
import { type Controls, readControls } from './ingress/controls.ts'
import { callerOf, credentialOf } from './ingress/credential.ts'
import { type Endpoint, matchEndpoint } from './ingress/endpoints.ts'
import { explainedCall } from './ingress/explain.ts'
import type { Idempotency } from './ingress/idempotency.ts'
import { inquiryOf } from './ingress/inquiry.ts'
import type { ListedModel } from './ingress/models.ts'
import { hello, jsonReply, listModels, noSuchPath, upgradeRefused } from './ingress/plain-endpoints.ts'
import { type BodyLimits, readBody } from './ingress/read-body.ts'
import { refuse } from './ingress/refuse.ts'
import { askedOf } from './routing/asked.ts'
import { type Choice, choose } from './routing/choose.ts'
import type { RoutingFacts } from './routing/estimates.ts'
import { explanationBody } from './routing/explain/explanation.ts'
import { planGroups } from './routing/groups.ts'
import { planOf, type World } from './routing/order.ts'
import type { Route, Routes } from './routing/routes.ts'
import type { Wire } from './wire/wire.ts'

/** What a line is made of. A reload builds another one and swaps the pointer. */
export interface LineParts {
  readonly wires: ReadonlyMap<WireId, Wire>
  readonly routes: Routes
  readonly upstreams: Upstreams
  /** What routing knows of targets, prices and time. */
  readonly world: World
  readonly facts: RoutingFacts
  readonly deliveries: Deliveries
  readonly idempotency: Idempotency
  readonly limits: BodyLimits
  readonly costOf: CostOf
  readonly sinks: readonly Sink[]
  /** What would answer: routes first, then the models of configured providers. */
  models(): readonly ListedModel[]
  readonly door: DoorParts
  /** Absent: every call is let in. */
  readonly admission?: Admission | undefined
}

export interface Line {
  /** Never throws: what goes wrong is answered in the caller's dialect. Cancel when the caller hangs up. */
  handle(request: HttpRequest, cancellation?: Cancellation): Promise<HttpReply>
  /** A request that the edge could not even read, refused in its dialect. */
  refuse(request: HttpRequest, error: GatewayError): HttpReply
  /**
   * Asked before a body is read: at its limits, the gateway turns calls away as cheaply as it can, with no outcome of their own.
   * Undefined: the request goes its way, where a caller without a valid key hears of that instead. `ahead`: calls that have arrived before it
   * and have not been handed to the line.
   */
  turnAway(request: () => HttpRequest, ahead: number): BriefRefusal | undefined
  /** Opens connections to the targets of a model before they are needed. Throws `unknown-model`. */
  warm(model: string): void
}

export function createLine(parts: LineParts): Line {
  const settle = settler(parts)
  const { door } = parts
  const brief = briefRefusals((dialect, error, id) => {
    const { status, headers, body } = refuse(error, wireOf(parts, dialect), { ...begin(dialect, new Cancellation()), id })
    return { status, headers, body: textOf(body as Uint8Array) }
  })
  const known = (request: HttpRequest): boolean => door.access?.known(callerOf(request)) ?? true

  const visible = (models: readonly ListedModel[], { principal }: Exchange): readonly ListedModel[] =>
    door.access && principal?.scopes.models ? models.filter(({ id }) => door.access?.visibleModel(principal, id)) : models

  return {
    warm(model) {
      const { candidates } = parts.routes.resolve(model)
      for (const { provider, model: name, wires } of candidates) {
        const [wire] = wires
        const upstream = parts.upstreams.providers.get(provider)
        if (wire && upstream) parts.upstreams.transportOf(provider).warm?.(upstream.url(wire, 'chat', name, false))
      }
    },
    async handle(request, cancellation = new Cancellation()) {
      const endpoint = matchEndpoint(request)
      const exchange = begin(endpoint.dialect, cancellation)
      const wire = wireOf(parts, endpoint.dialect)
      try {
        if (door.access && endpoint.op !== 'hello') {
          const caller = identify(door.access, request, exchange)
          if (caller instanceof Promise) await caller
        }
        switch (endpoint.op) {
          case 'chat':
            return await conversed(endpoint, request, exchange, wire)
          case 'count':
            return await converse(endpoint, request, exchange, wire)
          case 'models':
          case 'model':
            authorize(door, endpoint.op, undefined, request, exchange)
            return listModels(endpoint, request, visible(parts.models(), exchange))
          case 'explain':
            return explain(request, exchange)
          case 'hello':
            return hello(request)
          case 'upgrade':
            throw upgradeRefused()
          default:
            throw noSuchPath(endpoint, request)
        }
      } catch (thrown) {
        const error = gatewayErrorOf(thrown)
        settle(exchange, error)
        return refuse(error, wire, exchange)
      }
    },
    turnAway(read, ahead) {
      const error = parts.admission?.closed(ahead)
      if (!error) return undefined
      const request = read()
      const { op, dialect } = matchEndpoint(request)
      if ((op !== 'chat' && op !== 'count') || !known(request)) return undefined
      parts.admission?.turnedAway()
      return brief.of(dialect, error)
    },
    refuse(request, error) {
      const { dialect } = matchEndpoint(request)
      const exchange = begin(dialect, new Cancellation())
      settle(exchange, error)
      return refuse(error, wireOf(parts, dialect), exchange)
    },
  }

  /** Once for each `Idempotency-Key`, where the caller gives one. */
  async function conversed(endpoint: Endpoint, request: HttpRequest, exchange: Exchange, wire: Wire): Promise<HttpReply> {
    const key = request.headers['idempotency-key']
    if (key === undefined || key === '') return converse(endpoint, request, exchange, wire)
    const { reply, replayed } = await parts.idempotency.once(
      `${exchange.principal?.id ?? ''}\n${credentialOf(request) ?? ''}\n${request.path}?${request.query}`,
      key,
      request.body,
      async () => {
        const reply = await converse(endpoint, request, exchange, wire)
        return { reply, good: () => reply.status === 200 && exchange.error === undefined }
      },
    )
    if (replayed) {
      exchange.status = reply.status
      exchange.reason = 'replayed'
      settle(exchange)
    }
    return reply
  }

  /** Decides as `converse` does, with nothing sent and nothing counted. */
  function explain(request: HttpRequest, exchange: Exchange): HttpReply {
    const { endpoint, incoming } = explainedCall(request, parts.limits)
    const controls = readControls(request.headers, incoming.json['signalbox'])
    const { memory, store } = parts.deliveries
    const { recall } = memory
    const inquiry = inquiryOf({ endpoint, request, incoming, wire: wireOf(parts, endpoint.dialect), controls, recall, store })
    const { model } = inquiry
    authorize(door, 'explain', model, request, exchange)
    try {
      const { route, plan, decision } = chosenFor(inquiry, controls, exchange, parts, true)
      return jsonReply(explanationBody({ model, route, plan, decision }))
    } catch (thrown) {
      const error = gatewayErrorOf(thrown)
      if (error.id !== 'no-eligible-target') throw error
      return jsonReply(explanationBody({ model, decision: exchange.decision, error }))
    }
  }

  async function converse(endpoint: Endpoint, request: HttpRequest, exchange: Exchange, wire: Wire): Promise<HttpReply> {
    const incoming = readBody(request.body, parts.limits)
    const controls = readControls(request.headers, incoming.json['signalbox'])
    const asked = inquiryOf({
      endpoint,
      request,
      incoming,
      wire,
      controls,
      recall: parts.deliveries.memory.recall,
      store: parts.deliveries.store,
    })
    exchange.requestedModel = asked.model
    exchange.streamed = asked.streamed
    exchange.inputCharacters = incoming.text.length
    authorize(door, endpoint.op, asked.model, request, exchange)
    const { route, plan, steered, admitted } = await afford(asked, controls, exchange, door, (one) =>
      chosenFor(one, controls, exchange, parts),
    )
    const inquiry = steered ? { ...asked, steered } : asked

    const { candidates } = plan
    const counted = inquiry.op === 'count' ? countedHere(inquiry, candidates, parts, wire) : undefined
    if (counted) return counted
    const limitMs = Math.min(route.totalMs, controls.timeoutMs ?? Number.POSITIVE_INFINITY)
    const limit = deadline(exchange, limitMs)
    const finish = (error?: GatewayError): Outcome => {
      limit.cancel()
      place?.leave()
      const outcome = settle(exchange, error)
      admitted?.settle()
      return outcome
    }
    let place: Place | undefined
    try {
      place = parts.admission && (await placeFor(parts.admission, route, request, exchange, limit))
    } catch (thrown) {
      finish(gatewayErrorOf(thrown))
      throw thrown
    }
    const answering = attemptAll(inquiry, plan, exchange, parts.upstreams, { limitMs, hedge: route.hedge })
    if (parts.admission && asked.streamed) watchFirstToken(answering, exchange, parts.admission)
    return deliver({
      answering,
      inquiry,
      exchange,
      wire,
      endpoint,
      parts: parts.deliveries,
      survival: survivalOf(route, controls, candidates),
      settle: finish,
      kept: admitted?.durable,
    })
  }
}

/** What a call waited for its first token at the one target it was sent to. */
function watchFirstToken(answering: ReturnType<typeof attemptAll>, exchange: Exchange, admission: Admission): void {
  const since = elapsed(exchange)
  answering.then(
    ({ candidate: { provider, model } }) => {
      if (exchange.attempts.length === 1) admission.firstToken(`${provider}/${model}`, elapsed(exchange) - since)
    },
    () => {},
  )
}

/** Where the call may go, best first. Throws when nothing answers to the model, or nothing can serve the call. */
function chosenFor(inquiry: Inquiry, controls: Controls, exchange: Exchange, { routes, world, facts }: LineParts, explain = false): Choice {
  const asked = askedOf(inquiry, controls.session)
  return choose({
    inquiry,
    wishes: controls,
    steering: steeringOf(inquiry),
    exchange,
    routes,
    facts,
    explain,
    // Explaining takes no turn of a route's round.
    order: (route) => planGroups(route, (one) => planOf(explain && one.turns ? { ...one, turns: { ...one.turns } } : one, asked, world)),
  })
}

/** An answer begun anew is only for callers who know what that looks like. */
const survivalOf = ({ onBreak }: Route, { restart }: Controls, candidates: readonly Candidate[]): Delivery['survival'] =>
  onBreak === undefined || (onBreak === 'restart' && !restart) ? undefined : { mode: onBreak, candidates }

/** A token count for a target whose wire cannot count: the gateway's own estimate. */
function countedHere(inquiry: Inquiry, [first]: readonly Candidate[], { wires }: LineParts, wire: Wire): HttpReply | undefined {
  if (!first || wires.get(wireFor(first, inquiry.wire))?.count || !wire.count) return undefined
  const body = JSON.stringify(wire.count.write(estimateTokens(inquiry.json)))
  return { status: 200, headers: { 'content-type': 'application/json', 'x-signalbox-estimated': 'true' }, body: bytesOf(body) }
}

function begin(dialect: WireId, cancellation: Cancellation): Exchange {
  return {
    id: newId('req_'),
    at: Date.now(),
    startedAt: performance.now(),
    cancellation,
    dialect,
    streamed: false,
    attempts: [],
    drops: [],
    status: 0,
    outputCharacters: 0,
    inputCharacters: 0,
  }
}

/** Every dialect that an endpoint names has its wire; a missing one is a fault of assembly. */
function wireOf({ wires }: LineParts, dialect: WireId): Wire {
  const wire = wires.get(dialect)
  if (!wire) throw new Error(`no wire for the dialect ${dialect}`)
  return wire
}

function deadline(exchange: Exchange, limitMs: number): Alarm {
  return alarmAfter(limitMs, () =>
    exchange.cancellation.cancel(new GatewayError('deadline', `The call took longer than ${limitMs / 1000} s in all.`)),
  )
}

/** Turns an exchange into its outcome, once, however it ended. */
function settler({ sinks, costOf }: LineParts): (exchange: Exchange, error?: GatewayError) => Outcome {
  return (exchange, error) => {
    if (exchange.settled) return exchange.settled as Outcome
    if (error) {
      exchange.error = error
      if (exchange.status === 0) exchange.status = error.status
    }
    const outcome = outcomeOf(exchange, costOf)
    exchange.settled = outcome
    for (const sink of sinks) sink.record(outcome)
    return outcome
  }
}
