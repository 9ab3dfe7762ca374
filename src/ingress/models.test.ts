import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ListedModel, modelCard, modelList } from './models.ts'

const models: readonly ListedModel[] = Array.from({ length: 5 }, (_, index) => ({
  id: `p/m${index}`,
  owner: 'p',
  created: 1_700_000_000,
  contextWindow: 1_000,
  maxOutput: 100,
}))

/** What clients read of the lists. */
interface Seen {
  readonly object: string
  readonly data: readonly Record<string, unknown>[]
  readonly models: readonly Record<string, unknown>[] | undefined
  readonly has_more: boolean
  readonly first_id: string
  readonly last_id: string
  readonly nextPageToken: string
}

const list = (dialect: 'openai-chat' | 'anthropic-messages' | 'gemini', query = ''): Seen =>
  modelList(models, dialect, query) as unknown as Seen

test('OpenAI’s list', () => {
  const { object, data } = list('openai-chat')
  assert.equal(object, 'list')
  assert.deepEqual(data[0], { id: 'p/m0', object: 'model', created: 1_700_000_000, owned_by: 'p' })
})

test('Codex finds its own list beside it', () => {
  assert.equal(list('openai-chat', 'client_version=0.1').models?.[0]?.['slug'], 'p/m0')
  assert.equal(list('openai-chat').models, undefined)
})

test('Anthropic’s list is paged by the last id', () => {
  const first = list('anthropic-messages', 'limit=2')
  assert.deepEqual([first.data.length, first.has_more, first.first_id, first.last_id], [2, true, 'p/m0', 'p/m1'])
  const last = list('anthropic-messages', `limit=10&after_id=${first.last_id}`)
  assert.deepEqual([last.data.length, last.has_more, last.first_id], [3, false, 'p/m2'])
})

test('Google’s list is paged by a token', () => {
  const first = list('gemini', 'pageSize=4')
  assert.equal(first.models?.[0]?.['name'], 'models/p/m0')
  assert.equal(list('gemini', `pageSize=4&pageToken=${encodeURIComponent(first.nextPageToken)}`).models?.length, 1)
})

test('odd page sizes and tokens do no harm', () => {
  for (const query of ['limit=-1', 'limit=0', 'limit=1e9', 'limit=x', 'limit=1.5', 'after_id=nobody', '%zz'])
    assert.ok(list('anthropic-messages', query).data.length > 0, query)
})

test('one model in every shape', () => {
  const [model] = models
  assert.ok(model)
  assert.equal(modelCard(model, 'openai-responses')['object'], 'model')
  assert.equal(modelCard(model, 'anthropic-messages')['type'], 'model')
  assert.equal(modelCard(model, 'gemini')['inputTokenLimit'], 1_000)
})
