import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isProblem, parseSecretReference } from './secret-reference.ts'

test('references of every kind say where a value lies', () => {
  const good: Readonly<Record<string, object>> = {
    'env:OPENAI_API_KEY': { scheme: 'env', name: 'OPENAI_API_KEY' },
    'file:/run/a b#c': { scheme: 'file', name: '/run/a b#c' },
    'secret:openai-2': { scheme: 'secret', name: 'openai-2' },
    'vault:team/kv/openai#key': { scheme: 'vault', name: 'team/kv/openai', field: 'key' },
    'aws:sm/prod/openai#key': { scheme: 'aws', name: 'sm/prod/openai', field: 'key' },
    'aws:ssm//prod/openai': { scheme: 'aws', name: 'ssm//prod/openai' },
    'gcp:my-project/openai@5': { scheme: 'gcp', name: 'my-project/openai@5' },
    'azure:my-vault/openai': { scheme: 'azure', name: 'my-vault/openai' },
    'k8s:team/llm#openai': { scheme: 'k8s', name: 'team/llm', field: 'openai' },
  }
  for (const [text, expected] of Object.entries(good)) assert.deepEqual(parseSecretReference(text), expected, text)
})

test('what is malformed is told with a remedy and not repeated; what is no reference is plain text', () => {
  for (const text of [
    'env:canary canary',
    'file:',
    'secret:../canary',
    'vault:kv/../canary#x',
    'vault:kv/canary#',
    'aws:canary',
    'aws:sm/../canary',
    'gcp:canary',
    'azure:canary/a/b',
    'azure:can_ary.example.com/x',
    'k8s:canary',
    'k8s:a/../canary#x',
  ]) {
    const found = parseSecretReference(text)
    assert.ok(found && isProblem(found), text)
    assert.equal(found.fault, 'malformed')
    assert.ok(found.remedy.length > 5)
    assert.doesNotMatch(JSON.stringify(found), /canary/)
  }
  for (const text of ['sk-abc', 'https://x', 'ENV:X', '', 'envx:Y']) assert.equal(parseSecretReference(text), undefined)
})
