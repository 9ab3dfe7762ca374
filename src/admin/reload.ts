/** `POST /reload`: reads the configuration again. 200 with what changed, or 422 with what is wrong with the file. */
import { z } from 'zod'
import type { Problem } from '../config/config.ts'
import { GatewayError } from '../core/error.ts'
import { Raw, route } from './route.ts'

const paths = z.array(z.string())

export const reload = [
  route({
    name: 'reload.run',
    method: 'POST',
    path: '/reload',
    summary: 'Reads the configuration again. 422 with every problem when it cannot be used; the one before stays in force.',
    action: 'config.reload',
    role: 'operator',
    right: 'config.reload',
    wide: true,
    status: 200,
    answer: z
      .object({
        reloaded: z.literal(true),
        added: paths,
        changed: paths,
        removed: paths,
        needsRestart: paths.describe('What is kept until a restart.'),
        notices: z.array(z.object({ path: z.string(), message: z.string() })),
      })
      .meta({ id: 'Reloaded' }),
    async handle({ reload: again, note }) {
      note({ subject: 'config' })
      const result = await again()
      if (!result) throw new GatewayError('shutting-down', 'The gateway is stopping.')
      if (!result.done) {
        note({ detail: { reloaded: false } })
        const body = { error: errorOf(result.problems), file: result.file, problems: result.problems.map(problemBody) }
        return new Raw({ type: 'application/json; charset=utf-8', status: 422, body: JSON.stringify(body) })
      }
      const { added, changed, removed, needsRestart, notices } = result
      note({ detail: { added: [...added], changed: [...changed], removed: [...removed] } })
      return {
        reloaded: true as const,
        added: [...added],
        changed: [...changed],
        removed: [...removed],
        needsRestart: [...needsRestart],
        notices: notices.map(({ path, message }) => ({ path, message })),
      }
    },
  }),
]

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
