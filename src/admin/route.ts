/** One operation of the admin API as data: the server, the OpenAPI document, the client and the access matrix are made of these. */
import type { z } from 'zod'
import type { Json } from '../core/json.ts'
import type { Principal, Role } from '../core/principal.ts'
import type { AdminServices, ReloadParts } from './parts.ts'

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'

/** What a handler works with. */
export interface Context<Query = unknown, Body = unknown> {
  readonly principal: Principal
  /** The organisation that the caller may see; undefined: all of them. */
  readonly organisation: string | undefined
  /** From the path, by name. */
  param(name: string): string
  readonly query: Query
  readonly body: Body
  /** The version that the caller believes to change, from `If-Match`. */
  readonly ifMatch: number | undefined
  readonly services: AdminServices
  readonly reload: ReloadParts['reload']
  /** Milliseconds since 1970. */
  now(): number
  /** What the audit log is told beside the route's action; the last word wins. */
  note(event: {
    readonly subject?: string
    readonly organisation?: string | undefined
    readonly detail?: Readonly<Record<string, Json>>
  }): void
}

/** An answer that is no JSON document. */
export interface RawAnswer {
  readonly type: string
  readonly fileName?: string
  readonly status?: number
  readonly body: string | AsyncIterable<string>
}

export class Raw {
  readonly answer: RawAnswer
  constructor(answer: RawAnswer) {
    this.answer = answer
  }
}

interface RouteSpec<Query extends z.ZodType, Body extends z.ZodType, Answer extends z.ZodType> {
  /** `group.verb`, as the client calls it. */
  readonly name: string
  readonly method: Method
  /** Below `/admin/v1`; parameters in braces. */
  readonly path: string
  readonly summary: string
  /** What the audit log calls it; everything but GET is written there. */
  readonly action: string
  /** The least role that may do it. */
  readonly role: Role
  /** The same as a right, in the words of `policy/access/roles.ts`; a test holds both together. */
  readonly right: string
  /** Concerns all organisations: only for those who belong to none. */
  readonly wide?: boolean
  readonly query?: Query
  readonly body?: Body
  /** The body may be left out. */
  readonly bodyOptional?: boolean
  readonly answer?: Answer
  /** Default: 200; 201 for POST, 204 without an answer. */
  readonly status?: number
  /** Other media types that it may answer with. */
  readonly types?: readonly string[]
  /** Members of the body that no log may see. */
  readonly sealed?: readonly string[]
  /** A version may be asked for with `If-Match`. */
  readonly versioned?: boolean
  handle(context: Context<z.output<Query>, z.output<Body>>): Promise<z.input<Answer> | Raw>
}

export type Route = RouteSpec<z.ZodType, z.ZodType, z.ZodType>

export const route = <
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  Answer extends z.ZodType = z.ZodUndefined,
>(
  spec: RouteSpec<Query, Body, Answer>,
): Route => spec as unknown as Route

export const statusOf = ({ status, method, answer }: Route): number => status ?? (answer ? (method === 'POST' ? 201 : 200) : 204)
export const paramsOf = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
