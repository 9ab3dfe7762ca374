/** `/keys`: gateway keys, with what each may do and spend. */
import { credentials } from './credentials.ts'
import { keyShape } from './key-form.ts'

export const keys = credentials({
  group: 'keys',
  noun: 'key',
  title: 'Key',
  read: 'viewer',
  write: 'operator',
  rights: 'key',
  shape: keyShape,
  keptIn: ({ services }) => services.keys,
  roleOf: () => 'member',
})
