// Runs npm's `oidc-provider` on loopback, without a browser: strict, rotating, in memory. The README says how it is set.
import { Provider } from 'oidc-provider';
import { Memory } from './memory.mjs';

const setting = (name, otherwise) => process.env[name] ?? otherwise;
const port = Number(setting('PORT', 14010));
const issuer = setting('ISSUER', `http://127.0.0.1:${port}`);
const redirects = setting('REDIRECT', 'http://127.0.0.1:8080/api/v1/oauth/callback/oidc').split(',');
// Changed while it runs, through the control API.
let accessTokenSeconds = Number(setting('AT_TTL', 60));

const provider = new Provider(issuer, {
  adapter: Memory,
  clients: [{
    client_id: 'soak-oidc',
    client_secret: 'soak-oidc-secret',
    token_endpoint_auth_method: 'client_secret_basic',
    redirect_uris: redirects,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    application_type: 'native',
  }],
  // The library forgives 15 s; here a token is dead when it says so.
  clockTolerance: 0,
  cookies: { keys: ['only-on-loopback'] },
  scopes: ['openid', 'offline_access', 'email'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  pkce: { required: () => true },
  rotateRefreshToken: () => setting('ROTATE', '1') === '1',
  issueRefreshToken: async (_, client, code) =>
    client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
  ttl: {
    AccessToken: () => accessTokenSeconds,
    AuthorizationCode: 60,
    RefreshToken: 86_400,
    IdToken: 3_600,
    Interaction: 600,
    Session: 86_400,
    Grant: 14 * 86_400,
  },
  features: {
    devInteractions: { enabled: false },
    revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
    userinfo: { enabled: true },
    rpInitiatedLogout: { enabled: false },
  },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: async (_, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, email: `${id}@example.com`, email_verified: true }),
  }),
});

// A person without a browser: `login_hint` says who, and everything is consented to.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const { prompt, params, session, grantId } = await provider.interactionDetails(ctx.req, ctx.res);
  if (params.login_hint === 'deny') {
    return provider.interactionFinished(ctx.req, ctx.res, { error: 'access_denied' });
  }
  if (prompt.name === 'login') {
    const accountId = params.login_hint || 'alice';
    return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId } });
  }
  const known = grantId && (await provider.Grant.find(grantId));
  const grant = known || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingOIDCClaims } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(ctx.req, ctx.res, { consent }, { mergeWithLastSubmission: true });
});

// PUT /_control/access-token-seconds/6
provider.use(async (ctx, next) => {
  const seconds = ctx.path.match(/^\/_control\/access-token-seconds\/(\d+)$/)?.[1];
  if (ctx.method !== 'PUT' || !seconds) return next();
  accessTokenSeconds = Number(seconds);
  ctx.status = 204;
});

for (const event of ['server_error', 'grant.error', 'authorization.error', 'grant.revoked']) {
  provider.on(event, (...said) => {
    const error = said.find((each) => each instanceof Error);
    console.log(event, error ? `${error.message} ${error.error_detail ?? ''}` : '');
  });
}

const server = provider.listen(port, '127.0.0.1', () => console.log(`listening on ${issuer}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
