// api.cache, with Auth0's limits: 20 entries, keys of 64 bytes, values of 4 kB, 8 kB in all, 24 hours.
"use strict";

const LONGEST_LIFETIME_MS = 24 * 60 * 60 * 1000;
const MOST_ENTRIES = 20;
const LONGEST_KEY_BYTES = 64;
const LONGEST_VALUE_BYTES = 4000;
const LARGEST_TOTAL_BYTES = 8000;

const bytes = (text) => Buffer.byteLength(text, "utf8");
const refused = (code) => ({ type: "error", code });

/** The same calls on `entries`, a plain object {key: {value, expires_at}} that the parent gets back. */
function cacheOn(entries, now) {
  const live = (key) => (Object.hasOwn(entries, key) && entries[key].expires_at > now() ? entries[key] : undefined);
  for (const key of Object.keys(entries)) if (!live(key)) delete entries[key];
  const totalWithout = (key) =>
    Object.keys(entries).reduce((sum, name) => (name === key ? sum : sum + bytes(name) + bytes(entries[name].value)), 0);

  function problem(key, value) {
    if (bytes(key) > LONGEST_KEY_BYTES) return "CacheKeySizeExceeded";
    if (bytes(value) > LONGEST_VALUE_BYTES) return "CacheValueSizeExceeded";
    if (!live(key) && Object.keys(entries).length >= MOST_ENTRIES) return "CacheItemCountExceeded";
    if (totalWithout(key) + bytes(key) + bytes(value) > LARGEST_TOTAL_BYTES) return "CacheSizeExceeded";
    return null;
  }

  return {
    get(key) {
      const entry = live(key);
      return entry && { ...entry };
    },
    set(key, value, { ttl = Infinity, expires_at = Infinity } = {}) {
      if (typeof key !== "string" || typeof value !== "string") return refused("CacheInvalidType");
      const code = problem(key, value);
      if (code) return refused(code);
      const lifetime = Math.min(ttl, expires_at - now(), LONGEST_LIFETIME_MS);
      entries[key] = { value, expires_at: now() + lifetime };
      return { type: "success", record: { ...entries[key] } };
    },
    delete(key) {
      if (!live(key)) return refused("CacheKeyNotFound");
      delete entries[key];
      return { type: "success" };
    },
  };
}

module.exports = { cacheOn };
