  const crypto = require('crypto');
  const { promisify } = require('util');
