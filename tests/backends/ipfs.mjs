// An IPFS node that talks to nobody: its HTTP API and a path gateway, both on free ports, its blocks in FOLDER. Prints the
// two addresses as JSON.

import { create } from "ipfs-core";
import { HttpApi } from "ipfs-http-server";
import { HttpGateway } from "ipfs-http-gateway";

// One of its parts needs this of node 22.
Promise.withResolvers ??= () => {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const free = "/ip4/127.0.0.1/tcp/0";
const node = await create({
  repo: process.env.FOLDER,
  offline: true,
  silent: true,
  init: { emptyRepo: true, algorithm: "Ed25519" },
  config: { Addresses: { Swarm: [], API: free, Gateway: free }, Bootstrap: [] },
});
const api = new HttpApi(node);
const gateway = new HttpGateway(node);
await api.start();
await gateway.start();
console.log(JSON.stringify({ api: api._apiServers[0].info.uri, gateway: gateway._gatewayServers[0].info.uri }));
