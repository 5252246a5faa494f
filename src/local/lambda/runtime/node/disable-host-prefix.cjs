// Preloaded by NODE_OPTIONS. The JavaScript SDK puts a label before the endpoint's host for some operations
// (`workflows-127.0.0.1`) and has no setting for it in the environment, so such names are resolved to the loopback address they end in.
"use strict";
const dns = require("node:dns");
const { syncBuiltinESMExports } = require("node:module");

const LABELLED = /^[a-z0-9-]+[-.](127\.0\.0\.1)$/;
const plain = (hostname) => (typeof hostname === "string" ? hostname.replace(LABELLED, "$1") : hostname);

const { lookup } = dns;
dns.lookup = (hostname, ...rest) => lookup(plain(hostname), ...rest);
const lookupPromise = dns.promises.lookup;
dns.promises.lookup = (hostname, ...rest) => lookupPromise(plain(hostname), ...rest);
syncBuiltinESMExports();
