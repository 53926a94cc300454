import { createRuntime } from 'greenroom'

// A room returns what is said in it to everybody, its sender included: alone in a room, that is an echo.
const runtime = createRuntime()
const port = await runtime.listen(Number(process.env['PORT'] ?? 8080))
console.log(`ws://localhost:${port}/ws`)
process.once('SIGINT', () => void runtime.close())
process.once('SIGTERM', () => void runtime.close())
