import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { machinesPage } from './machines-page.ts'

const page = new URL('../docs/machines.md', import.meta.url)

mkdirSync(fileURLToPath(new URL('.', page)), { recursive: true })
writeFileSync(page, machinesPage())
console.log('docs/machines.md')
