  // One connection per execution, closed on every path; Auth0 may throw the container away at any time.
  async function query(text, values) {
    const pool = new sql.ConnectionPool({
      ...sql.ConnectionPool.parseConnectionString(configuration.DATABASE_URL),
      connectionTimeout: 5000,
      requestTimeout: 8000,
    });
    try {
      await pool.connect();
      const request = pool.request();
      Object.entries(values).forEach(([name, value]) => request.input(name, value));
      return await request.query(text);
    } finally {
      await pool.close().catch(() => {});
    }
  }
