export { anonymous } from './anonymous.ts'
export { apiKey, type ApiKeyOptions } from './api-key.ts'
export { jwt, type JwtOptions } from './jwt.ts'
export {
  AuthenticationError,
  type Authenticate,
  type AuthenticationFailure,
  type Credentials,
} from '../runtime/ports/authenticate.ts'
