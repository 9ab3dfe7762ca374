import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type SourceConfig, sourcesOf } from '../accounting/reconcile/sources.ts'
import { checkReconcile } from './check-reconcile.ts'
import { reconcile } from './schema-reconcile.ts'

const whole = {
  sources: {
    openai: { kind: 'openai', key: 'env:OPENAI_ADMIN_KEY', projects: ['proj_1'] },
    claude: { kind: 'anthropic', key: 'env:ANTHROPIC_ADMIN_KEY', providers: ['anthropic'], workspaces: ['default'] },
    azure: { kind: 'csv', file: 'bills/azure.csv', columns: { day: 'Date', model: 'Meter', cost: 'Cost' } },
    aws: { kind: 'focus', url: 'https://bills.example/focus.csv', providers: ['amazon-bedrock'], where: { ServiceName: 'Amazon Bedrock' } },
  },
} as const

suite('reconciliation in the configuration', () => {
  test('has a default for everything but its sources, and names what the sources take', () => {
    const read = reconcile.parse(whole)
    assert.deepEqual({ ...read, sources: {} }, { days: 7, tolerance: { relative: 0.001, cost: '0.001', tokens: 0 }, sources: {} })
    const sources: Readonly<Record<string, SourceConfig>> = read?.sources ?? {}
    assert.deepEqual(
      sourcesOf(sources, { secret: () => '' }).map(({ name, providers }) => `${name}: ${providers.join()}`),
      ['openai: openai', 'claude: anthropic', 'azure: azure', 'aws: amazon-bedrock'],
    )
  })

  test('tells what is missing and what is of no use, with a remedy', () => {
    const problem = (source: object): string => {
      const [issue] = reconcile.safeParse({ sources: { s: source } }).error?.issues ?? []
      return issue ? `${issue.path.slice(2).join('.')}: ${issue.message}` : ''
    }
    assert.match(problem({ kind: 'openai' }), /^key: missing\nname an admin key/)
    assert.match(problem({ kind: 'openai', key: 'env:K', file: 'x' }), /^file: of no use/)
    assert.match(problem({ kind: 'csv', columns: { day: 'd' } }), /^file: a statement is read from a file or a URL/)
    assert.match(problem({ kind: 'csv', file: 'x' }), /^columns: missing/)
    assert.match(problem({ kind: 'csv', file: 'x', url: 'https://x.example/', columns: { day: 'd' } }), /^file: /)
    assert.match(problem({ kind: 'focus', file: 'x', columns: { day: 'd' } }), /^columns: of no use/)
    assert.equal(problem({ kind: 'focus', file: 'x' }), '')
  })

  test('bills only providers that are configured', () => {
    const providers = { openai: {}, anthropic: {}, azure: {} }
    assert.deepEqual(checkReconcile(undefined, providers), [])
    assert.deepEqual(
      checkReconcile(reconcile.parse(whole), providers).map(({ path, message }) => `${path}: ${message}`),
      ['reconcile.sources.aws.providers[0]: there is no provider `amazon-bedrock`'],
    )
    const [near] = checkReconcile({ sources: { opennai: {} } }, providers)
    assert.equal(near?.remedy, 'did you mean `openai`?')
  })
})
