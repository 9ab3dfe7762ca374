import type { Migration } from './index.ts'

export const ledger: Migration = {
  version: 2,
  name: 'ledger',
  statements: (kind) => {
    const text = kind === 'postgres' ? 'text collate "C"' : 'text'
    const integer = kind === 'postgres' ? 'bigint' : 'integer'
    const words = [
      'key_id',
      'alias',
      'user_id',
      'organisation',
      'team',
      'project',
      'tags',
      'tier',
      'route',
      'requested_model',
      'model',
      'provider',
      'region',
    ]
    const counts = [
      'status',
      'input_tokens',
      'output_tokens',
      'cache_read_tokens',
      'cache_write_tokens',
      'reasoning_tokens',
      'cost',
      'charge',
    ]
    const sums = ['requests', ...counts.filter((name) => name !== 'status'), 'estimated', 'unpriced']
    return [
      // What queries group by and sum has columns; the whole of an entry is in the two JSON texts.
      `create table ledger_entries (
        id ${text} primary key,
        instance ${text} not null,
        at ${integer} not null,
        state ${integer} not null,
        ${words.map((name) => `${name} ${text},`).join('\n        ')}
        ${counts.map((name) => `${name} ${integer},`).join('\n        ')}
        estimated ${integer} not null,
        opening text,
        settlement text
      )`,
      'create index ledger_entries_at on ledger_entries (at, id)',
      'create index ledger_entries_running on ledger_entries (instance) where state = 0',
      // Sums of whole days, made when a day is over; `generation` counts what came too late for them.
      `create table ledger_days (day ${integer} primary key, generation ${integer} not null, summed ${integer} not null, run ${integer})`,
      `create table ledger_sums (
        run ${integer} not null,
        day ${integer} not null,
        ${words.map((name) => `${name} ${text},`).join('\n        ')}
        status ${integer},
        ${sums.map((name) => `${name} ${integer} not null`).join(',\n        ')}
      )`,
      'create index ledger_sums_run on ledger_sums (run)',
      `create table ledger_instances (id ${text} primary key, directory ${text} not null, seen_at ${integer} not null)`,
    ]
  },
}
