/** Looks for model servers on this machine, on their usual ports. Costs a few milliseconds when there are none. */
import { get } from 'node:http'

interface Answer {
  readonly status: number
  readonly server: string
  readonly body: string
}

// Port 8080 is anybody's: what answers there must say that it is llama.cpp.
const usual = [
  { preset: 'ollama', url: 'http://127.0.0.1:11434/api/version', is: ({ body }: Answer) => /"version"\s*:/.test(body) },
  {
    preset: 'llamacpp',
    url: 'http://127.0.0.1:8080/v1/models',
    is: ({ server, body }: Answer) => /llama\.cpp/i.test(server) || /"owned_by"\s*:\s*"llamacpp"/.test(body),
  },
] as const

/** Presets of the servers that answer. */
export async function findLocalServers(ask: (url: string) => Promise<Answer | undefined> = askOverHttp): Promise<readonly string[]> {
  const found = await Promise.all(
    usual.map(async ({ preset, url, is }) => {
      const answer = await ask(url)
      return answer?.status === 200 && is(answer) ? [preset] : []
    }),
  )
  return found.flat()
}

const WAIT_MS = 300
const MOST = 65_536

export function askOverHttp(url: string): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { timeout: WAIT_MS, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body += text
        if (body.length > MOST) request.destroy()
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, server: String(response.headers.server ?? ''), body }))
      response.on('error', () => resolve(undefined))
    })
    // The whole of it, not only the wait for a connection.
    const limit = setTimeout(() => request.destroy(), WAIT_MS)
    request.on('close', () => {
      clearTimeout(limit)
      resolve(undefined)
    })
    request.on('error', () => resolve(undefined))
  })
}
