  const bcrypt = require('bcrypt@5.1.1');
