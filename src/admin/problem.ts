/** What a schema finds wrong with a request, as one error: the first fault with its path, what it is and what to do. */
import type { z } from 'zod'
import { explain } from '../config/explain.ts'
import { GatewayError } from '../core/error.ts'

/** `sealed`: members whose value may not be repeated. */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
  sealed: readonly string[] = [],
): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue && sealed.includes(String(issue.path[0])))
    throw new GatewayError('invalid-request', `\`${String(issue.path[0])}\` is not as it should be: ${issue.message.replace('\n', ': ')}`, {
      path: String(issue.path[0]),
    })
  const [first] = issue ? explain(issue, schema, value) : []
  if (!first || first.path === '') throw new GatewayError('invalid-request', `The ${what} is not a JSON object.`)
  throw new GatewayError('invalid-request', `${first.path}: ${first.message}${first.remedy === undefined ? '' : `: ${first.remedy}`}`, {
    path: first.path,
  })
}

/** A fault that no schema can see. */
export const wrong = (path: string, message: string, remedy: string): GatewayError =>
  new GatewayError('invalid-request', `${path}: ${message}: ${remedy}`, { path })
