/** `k8s:[NAMESPACE/]NAME#KEY`: secrets of the Kubernetes API, read as the pod's own service account. */
import type { SecretReference } from '../../core/secret-reference.ts'
import { type Ask, at, textAt } from '../http.ts'
import { SecretError, type SecretReading, type SecretSource } from '../source.ts'
import type { SourceContext } from './context.ts'
import { SERVICE_ACCOUNT } from './vault-token.ts'

export interface KubernetesOptions {
  /** Default: where the pod finds its API server. */
  readonly url?: string | undefined
  /** Default: the pod's own. */
  readonly namespace?: string | undefined
  /** Holds `token`, `ca.crt` and `namespace`. Default: where Kubernetes mounts them. */
  readonly serviceAccount?: string | undefined
}

export function kubernetesSource(options: KubernetesOptions, { asker, env, readFile, credential }: SourceContext): SecretSource {
  const mount = options.serviceAccount ?? SERVICE_ACCOUNT

  function baseOf(): string {
    if (options.url !== undefined) return options.url.replace(/\/+$/, '')
    const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env
    if (!host)
      throw new SecretError(
        'unreachable',
        'this is not a pod of Kubernetes',
        'set `secrets.kubernetes.url`, or use another kind of reference',
      )
    return `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  }

  async function ask(name: string, change: Pick<Ask, 'method' | 'body'> = {}): Promise<unknown> {
    const base = baseOf()
    const [own, secret = ''] = name.includes('/') ? name.split('/') : [undefined, name]
    const namespace = own ?? options.namespace ?? (await credential(`file:${mount}/namespace`))
    // Bound tokens are replaced every hour: the file has the one that holds.
    const token = await credential(`file:${mount}/token`)
    const ca = await readFile(`${mount}/ca.crt`).catch(() => undefined)
    return await asker.json({
      who: 'Kubernetes',
      url: `${base}/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(secret)}`,
      headers: { authorization: `Bearer ${token}`, ...(change.body !== undefined && { 'content-type': 'application/merge-patch+json' }) },
      ca,
      codeOf: (answer) => textAt(answer, 'reason'),
      ...change,
    })
  }

  async function read({ name, field = '' }: SecretReference): Promise<SecretReading> {
    const told = await ask(name)
    const data = at(told, 'data')
    const encoded = typeof data === 'object' && data !== null && Object.hasOwn(data, field) ? at(data, field) : undefined
    const value = typeof encoded === 'string' ? Buffer.from(encoded, 'base64').toString('utf8').trim() : ''
    if (value === '')
      throw new SecretError('unset', `the Kubernetes secret has no key \`${field}\`, or it is empty`, 'correct what stands behind `#`')
    return { value, version: textAt(told, 'metadata', 'resourceVersion') }
  }

  /** One key of a secret that is there. */
  async function write({ name, field = '' }: SecretReference, value: string): Promise<void> {
    const data = { [field]: Buffer.from(value).toString('base64') }
    await ask(name, { method: 'PATCH', body: JSON.stringify({ data }) })
  }

  return { scheme: 'k8s', read, write }
}
