// Keeps what the provider stores: the library's own memory forgets the oldest of a thousand entries, grants among them.

const entries = new Map();
const members = new Map();
const FOLLOWED = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken']);

const seconds = () => Math.floor(Date.now() / 1000);

export class Memory {
  constructor(model) {
    this.model = model;
  }

  key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload, expiresIn) {
    const key = this.key(id);
    if (FOLLOWED.has(this.model) && payload.grantId) {
      const grant = members.get(payload.grantId) ?? new Set();
      members.set(payload.grantId, grant.add(key));
    }
    if (this.model === 'Session') entries.set(`uid:${payload.uid}`, { payload: id });
    entries.set(key, { payload, end: expiresIn && Date.now() + expiresIn * 1000 });
  }

  async find(id) {
    const entry = entries.get(this.key(id));
    if (entry?.end && entry.end <= Date.now()) {
      entries.delete(this.key(id));
      return undefined;
    }
    return entry?.payload;
  }

  async findByUid(uid) {
    const id = entries.get(`uid:${uid}`)?.payload;
    return id && this.find(id);
  }

  async findByUserCode() {
    return undefined;
  }

  async consume(id) {
    const payload = await this.find(id);
    if (payload) payload.consumed = seconds();
  }

  async destroy(id) {
    entries.delete(this.key(id));
  }

  async revokeByGrantId(grantId) {
    for (const key of members.get(grantId) ?? []) entries.delete(key);
    members.delete(grantId);
  }
}
