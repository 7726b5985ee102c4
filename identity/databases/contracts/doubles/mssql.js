// The interface of the npm module mssql, on a line of JSON per request instead of SQL Server's protocol. The server
// behind it parses T-SQL and runs it on SQLite: parameters, errors, pools and time-outs behave; SQL Server it is not.
"use strict";

const net = require("net");

class RequestError extends Error {
  constructor(message, number, code = "EREQUEST") {
    super(message);
    Object.assign(this, { name: "RequestError", code, number });
  }
}

const KEYS = {
  server: "server", "data source": "server", address: "server", addr: "server", "network address": "server",
  database: "database", "initial catalog": "database", "user id": "user", uid: "user", password: "password", pwd: "password",
};

function parseConnectionString(text) {
  const config = { options: {} };
  for (const pair of String(text).split(";").filter((one) => one.includes("="))) {
    const [name, ...rest] = pair.split("=");
    const key = KEYS[name.trim().toLowerCase()];
    if (key) config[key] = rest.join("=").trim();
    if (name.trim().toLowerCase() === "encrypt") config.options.encrypt = /true|yes/i.test(rest[0]);
  }
  const [host, port] = String(config.server ?? "").replace(/^tcp:/, "").split(",");
  return { ...config, server: host, port: Number(port ?? 1433) };
}

/** What SQL Server would be sent: JSON has no undefined, and dates travel as text. */
const values = (inputs) => Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, value ?? null]));

class Request {
  constructor(pool) {
    this.pool = pool ?? globalPool;
    this.inputs = {};
  }
  input(name, type, value) {
    this.inputs[name] = arguments.length < 3 ? type : value;
    return this;
  }
  query(text, callback) {
    const tagged = Array.isArray(text);
    const work = this.pool.send(text, values(this.inputs));
    if (tagged || typeof callback !== "function") return work;
    return void work.then((result) => callback(null, result), (error) => callback(error));
  }
}

class ConnectionPool {
  constructor(config, callback) {
    this.config = typeof config === "string" ? parseConnectionString(config) : config;
    this.connected = false;
    if (typeof callback === "function") this.connect(callback);
  }
  static parseConnectionString = parseConnectionString;
  on() { return this; }
  connect(callback) {
    const work = new Promise((resolve, reject) => {
      const fail = (error) => reject(Object.assign(new Error(`Failed to connect to ${this.config.server} - ${error.message}`), { name: "ConnectionError", code: "ESOCKET" }));
      this.socket = net.connect({ host: this.config.server, port: this.config.port ?? 1433 });
      this.socket.setTimeout(this.config.connectionTimeout ?? 15000, () => this.socket.destroy(new Error("timed out")));
      this.socket.once("error", fail);
      this.socket.once("connect", () => {
        this.socket.setTimeout(0);
        this.receive();
        this.send("LOGIN", { user: this.config.user ?? "", password: this.config.password ?? "" }).then(() => {
          this.connected = true;
          resolve(this);
        }, fail);
      });
    });
    if (typeof callback !== "function") return work;
    return void work.then(() => callback(null), (error) => callback(error));
  }
  receive() {
    let text = "";
    this.waiting = [];
    const broken = () => this.waiting.splice(0).forEach(({ reject }) => reject(new RequestError("Connection lost - socket closed", undefined, "ESOCKET")));
    this.socket.on("data", (data) => {
      text += data;
      for (let end; (end = text.indexOf("\n")) >= 0; text = text.slice(end + 1)) {
        const answer = JSON.parse(text.slice(0, end));
        const { resolve, reject } = this.waiting.shift();
        if (answer.error) reject(new RequestError(answer.error, answer.number));
        else resolve(answer);
      }
    });
    this.socket.on("close", broken);
    this.socket.on("error", broken);
  }
  send(text, parameters) {
    if (!this.socket || this.socket.destroyed) return Promise.reject(new RequestError("Connection is closed.", undefined, "ECONNCLOSED"));
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new RequestError("Timeout: Request failed to complete", undefined, "ETIMEOUT")), this.config.requestTimeout ?? 15000);
      const settle = (done) => (value) => (clearTimeout(limit), done(value));
      this.waiting.push({ resolve: settle(resolve), reject: settle(reject) });
      this.socket.write(`${JSON.stringify({ text, parameters })}\n`);
    });
  }
  request() {
    return new Request(this);
  }
  query(text, ...rest) {
    return new Request(this).query(text, ...rest);
  }
  close(callback) {
    this.connected = false;
    this.socket?.destroy();
    if (typeof callback === "function") callback(null);
    return Promise.resolve();
  }
}

let globalPool = null;

function connect(config, callback) {
  globalPool = new ConnectionPool(config);
  return globalPool.connect(callback);
}

/** sql.query`... ${value}`: the values become parameters. */
function query(strings, ...given) {
  if (!Array.isArray(strings)) return globalPool.query(strings, ...given);
  const request = new Request(globalPool);
  const text = strings.reduce((whole, part, index) => `${whole}@v${index}${part}`); // index of the part behind the value
  given.forEach((value, index) => request.input(`v${index + 1}`, value));
  return request.query(text);
}

const type = (name) => Object.assign(() => ({ type: name }), { type: name });
const types = Object.fromEntries(["NVarChar", "VarChar", "Int", "BigInt", "Bit", "DateTime", "UniqueIdentifier", "Text", "NText"].map((name) => [name, type(name)]));

module.exports = { ConnectionPool, Request, RequestError, connect, query, close: () => globalPool?.close(), MAX: 65535, ...types };
