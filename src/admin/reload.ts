/** `POST /admin/v1/reload`: reads the configuration again. 200 with what changed, or 422 with what is wrong with the file. */
import type { FastifyInstance } from 'fastify'
import type { Notice, Problem } from '../config/config.ts'
import { GatewayError } from '../core/error.ts'

export interface ReloadParts {
  /** Undefined: the gateway is stopping. */
  reload(): Promise<Reloaded | undefined>
}

/** What a reload came to. */
export type Reloaded =
  | {
      readonly done: true
      readonly added: readonly string[]
      readonly changed: readonly string[]
      readonly removed: readonly string[]
      readonly needsRestart: readonly string[]
      readonly notices: readonly Notice[]
    }
  | { readonly done: false; readonly file: string | undefined; readonly problems: readonly Problem[] }

export function reloadRoutes({ reload }: ReloadParts): (api: FastifyInstance) => Promise<void> {
  return async (api) => {
    api.post('/reload', async (_request, reply) => {
      const result = await reload()
      if (!result) throw new GatewayError('shutting-down', 'The gateway is stopping.')
      if (!result.done)
        return reply.code(422).send({ error: errorOf(result.problems), file: result.file, problems: result.problems.map(problemBody) })
      const { added, changed, removed, needsRestart, notices } = result
      return { reloaded: true, added, changed, removed, needsRestart, notices }
    })
    api.route({
      method: ['GET', 'PUT', 'PATCH', 'DELETE'],
      url: '/reload',
      handler: () => {
        throw new GatewayError('method-not-allowed', 'A reload is asked for with POST.')
      },
    })
  }
}

/** The first problem stands for all. */
function errorOf(problems: readonly Problem[]): object {
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  const remedy = first?.remedy === undefined ? '' : `: ${first.remedy}`
  return {
    code: 'invalid_config',
    message: `The configuration was not taken, the one before it stays in force. ${first?.path || 'The file'}: ${first?.message ?? 'it cannot be used'}${remedy}${more}`,
    ...(first && { path: first.path, remedy: first.remedy, line: first.line, column: first.column }),
  }
}

const problemBody = ({ path, message, remedy, line, column }: Problem): object => ({ path, message, remedy, line, column })
