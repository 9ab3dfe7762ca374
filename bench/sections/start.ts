import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PLAIN_MODEL, requestBody } from '../payloads.ts'
import { freePort, ROOT, ready, scratch, startNode } from '../processes.ts'
import { type Measure, median } from '../report.ts'
import { hasServer, SERVER, SIGNALBOX_ENV, signalboxConfig, writeConfig } from '../subjects.ts'
import type { Section } from './section.ts'

const BOOTSTRAP = join(ROOT, 'scripts/bootstrap.mjs')

/** From the start of the first process to the first whole answer of a model, everything installed, caches warm. Not pinned: a user's isn't. */
export const start: Section = async (bench) => {
  const section = 'Start to first answer'
  if (!hasServer()) {
    bench.note('start: the server is not there')
    return []
  }
  const config = writeConfig('start', signalboxConfig(bench.rig))
  const body = requestBody('openai-chat', `mock/${PLAIN_MODEL}`, false).toString()
  const measures: Measure[] = []
  const forms: [string, string, number | undefined][] = [
    ['bootstrap and server', BOOTSTRAP, 1],
    ['server alone', SERVER, undefined],
  ]
  for (const [what, script, budget] of forms) {
    if (!existsSync(script)) {
      bench.note(`start: ${script} is not there`)
      continue
    }
    const times: number[] = []
    for (let round = 0; round <= bench.rounds; round++) {
      bench.say(`start: ${what}, round ${round} of ${bench.rounds}`)
      const port = await freePort()
      const began = performance.now()
      const child = startNode({
        name: 'start',
        args: [script, 'serve', '--config', config, '--port', String(port)],
        env: SIGNALBOX_ENV,
        cwd: scratch,
      })
      await ready(child, `http://127.0.0.1:${port}/v1/chat/completions`, { everyMs: 5, post: body })
      // The first round fills the compile cache.
      if (round > 0) times.push((performance.now() - began) / 1_000)
      await child.stop()
    }
    measures.push({ section, what, value: median(times), unit: 's', ...(budget === undefined ? {} : { budget }) })
  }
  return measures
}
