  // One connection per execution, closed on every path; Auth0 may throw the container away at any time.
  async function withUsers(work) {
    const client = new MongoClient(configuration.DATABASE_URL, {
      serverSelectionTimeoutMS: 5000,
      connectTimeoutMS: 5000,
      socketTimeoutMS: 8000,
    });
    try {
      await client.connect();
      return await work(client.db().collection('{{ form.table }}'));
    } finally {
      await client.close().catch(() => {});
    }
  }
  // Addresses are compared without regard to case. String(): an object here would be a query operator.
  const ignoringCase = { collation: { locale: 'en', strength: 2 } };
