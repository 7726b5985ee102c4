  // One connection per execution, closed on every path; Auth0 may throw the container away at any time.
  async function query(text, values) {
    const client = new Client({
      connectionString: configuration.DATABASE_URL,
      connectionTimeoutMillis: 5000,
      query_timeout: 8000,
    });
    client.on('error', () => {}); // a connection that breaks also rejects the query below
    try {
      await client.connect();
      return await client.query(text, values);
    } finally {
      await client.end().catch(() => {});
    }
  }
