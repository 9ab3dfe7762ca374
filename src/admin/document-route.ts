/** `/openapi.json`: this API, described by itself. */
import { z } from 'zod'
import { route } from './route.ts'

export const documentRoute = [
  route({
    name: 'openapi.get',
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document.',
    action: 'openapi.read',
    role: 'member',
    right: 'key.own',
    answer: z.record(z.string(), z.unknown()),
    // The document is made of the list that this route is in.
    handle: async () => (await import('./openapi.ts')).openApiDocument(),
  }),
]
