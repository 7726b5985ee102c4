
// The interface of the npm module tedious on the same lines of JSON. This file is read behind mssql.js.
const { EventEmitter } = require("events");

class TediousRequest extends EventEmitter {
  constructor(text, callback) {
    super();
    Object.assign(this, { text, callback, inputs: {} });
  }
  addParameter(name, type, value) {
    this.inputs[name] = value;
  }
}

class Connection extends EventEmitter {
  constructor({ server, options = {}, authentication, userName, password }) {
    super();
    const login = authentication?.options ?? { userName, password };
    const limits = { connectionTimeout: options.connectTimeout, requestTimeout: options.requestTimeout };
    this.options = options;
    this.pool = new ConnectionPool({ server, port: Number(options.port ?? 1433), user: login.userName, password: login.password, ...limits });
  }
  connect(callback) {
    const done = (error) => {
      if (error) this.close();
      this.emit("connect", error);
      callback?.(error);
    };
    this.pool.connect().then(() => {
      this.pool.socket.once("close", () => this.emit("end"));
      done();
    }, done);
  }
  /** Each column of a row is { value, metadata }, in an array or, if so wished, by its name. */
  row(record) {
    const columns = Object.entries(record).map(([colName, value]) => ({ value, metadata: { colName } }));
    return this.options.useColumnNames ? Object.fromEntries(columns.map((one) => [one.metadata.colName, one])) : columns;
  }
  execSql(request) {
    this.pool.send(request.text, values(request.inputs)).then(({ recordset, rowsAffected }) => {
      const rows = recordset.map((record) => this.row(record));
      rows.forEach((row) => request.emit("row", row));
      request.callback(null, rowsAffected[0], this.options.rowCollectionOnRequestCompletion ? rows : []);
      request.emit("requestCompleted");
    }, (error) => request.callback(error));
  }
  close() {
    this.pool.close();
  }
}

module.exports = { Connection, Request: TediousRequest, TYPES: types };
