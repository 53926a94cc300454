import { createRuntime } from 'greenroom'
import { lobbyConnection } from './lobby-connection.ts'

const runtime = createRuntime({ connection: lobbyConnection })
const port = await runtime.listen(Number(process.env['PORT'] ?? 8080))
console.log(
  `npx wscat -c ws://localhost:${port}/ws, then {"type":"ready"}, {"type":"start"}, {"type":"move","data":{"square":4}}`,
)
process.once('SIGINT', () => void runtime.close())
process.once('SIGTERM', () => void runtime.close())
