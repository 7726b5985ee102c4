// Connections for database scripts. This process can open no socket (the kernel refuses), but it inherited a few,
// already connected to its parent. To connect, one of them names the host and port; the parent answers and relays.
"use strict";

const net = require("node:net");
const tls = require("node:tls");
const dns = require("node:dns");

const { Socket } = net;
const ERRORS = {
  1: ["ECONNREFUSED", "the connection was refused"],
  2: ["EACCES", "this host is not among those that the script may reach here"],
  3: ["ETIMEDOUT", "the host did not answer"],
  4: ["ENOTFOUND", "the name of the host is unknown"],
};
// Addresses that stand for names: drivers that look a name up before they connect get one of these.
const NAMES = new Map();
const own = (handle, description) => Object.getOwnPropertySymbols(handle).find((s) => s.description === description);

let free = [];

function failure(code, message, { host, port }) {
  const error = new Error(`connect ${code} ${host}:${port} (${message})`);
  return Object.assign(error, { code, errno: code, syscall: "connect", address: host, port });
}

/** Hand the relay's handle over to the socket that the driver holds, as Node's own connect does at its end. */
function adopt(socket, donor) {
  const handle = donor._handle;
  handle.readStop();
  handle.reading = false;
  donor._handle = null;
  handle[own(handle, "owner_symbol")] = socket;
  socket._handle = handle;
  const asyncId = own(donor, "async_id_symbol");
  if (asyncId) socket[asyncId] = donor[asyncId];
  socket.connecting = false;
  socket.emit("connect");
  socket.emit("ready");
  if (!socket.isPaused()) socket.read(0);
}

function handshake(socket, target) {
  const fd = free.pop();
  if (fd === undefined) {
    process.nextTick(() => socket.destroy(failure("EMFILE", "too many connections in one execution", target)));
    return;
  }
  const donor = new Socket({ fd, manualStart: true, allowHalfOpen: true });
  socket.once("close", () => donor._handle && donor.destroy());
  donor.once("error", (error) => socket.destroy(error));
  donor.once("data", (status) => {
    if (socket.destroyed) return donor.destroy();
    if (status[0] !== 48) {
      donor.destroy();
      return socket.destroy(failure(...ERRORS[status.toString()], target));
    }
    donor.pause();
    donor.write("\n", () => adopt(socket, donor));
  });
  donor.write(`${target.host}:${target.port}\n`);
}

function targetOf(options) {
  const host = String(options.host ?? "localhost");
  return { host: NAMES.get(host) ?? host, port: Number(options.port) };
}

function connect(...given) {
  const [options, callback] = Array.isArray(given[0]) ? given[0] : net._normalizeArgs(given);
  if (callback) this.once("connect", callback);
  this.connecting = true;
  if (options.path) {
    process.nextTick(() => this.destroy(failure("EACCES", "local sockets are closed", { host: options.path, port: "" })));
    return this;
  }
  if (options.timeout) this.setTimeout(options.timeout);
  handshake(this, targetOf(options));
  return this;
}

function secureConnect(original) {
  return function connectSecurely(...given) {
    const [options, callback] = net._normalizeArgs(given);
    if (options.socket) return original(options, callback);
    const socket = net.connect({ host: options.host, port: options.port });
    const servername = options.servername ?? (net.isIP(options.host ?? "") ? "" : options.host);
    const secure = original({ ...options, socket, servername }, callback);
    socket.on("error", (error) => secure.destroy(error));
    return secure;
  };
}

function addressOf(name) {
  for (const [address, known] of NAMES) if (known === name) return address;
  const address = `198.18.${NAMES.size >> 8}.${(NAMES.size & 255) + 1}`;
  NAMES.set(address, name);
  return address;
}

function lookup(name, options, callback) {
  const done = typeof options === "function" ? options : callback;
  const address = net.isIP(name) ? name : addressOf(name);
  const all = typeof options === "object" && options.all;
  process.nextTick(() => (all ? done(null, [{ address, family: 4 }]) : done(null, address, 4)));
}

/** `sockets`: descriptors of the inherited connections; without any, the network simply stays closed. */
function install(sockets) {
  if (sockets.length === 0) return;
  free = [...sockets].reverse();
  Socket.prototype.connect = connect;
  tls.connect = secureConnect(tls.connect);
  dns.lookup = lookup;
  dns.promises.lookup = (name, options = {}) =>
    new Promise((done) => lookup(name, options, (_, address, family) => done(family ? { address, family } : address)));
}

module.exports = { install };
