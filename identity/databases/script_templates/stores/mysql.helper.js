  // One connection per execution, closed on every path; Auth0 may throw the container away at any time.
  async function query(text, values) {
    const connection = await mysql.createConnection({ uri: configuration.DATABASE_URL, connectTimeout: 5000 });
    connection.on('error', () => {}); // a connection that breaks also rejects the query below
    try {
      const [result] = await connection.execute({ sql: text, values, timeout: 8000 });
      return result;
    } finally {
      await connection.end().catch(() => {});
    }
  }
