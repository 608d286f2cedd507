// An S3 server on a free port: FOLDER holds its objects, BUCKET is its only bucket. Prints its address as JSON.
// It knows one key, S3RVER, refuses others, and lets everybody in who shows none. Of signatures it checks the form only;
// that their values are right is checked against AWS's own examples, in the SDK.

import S3rver from "s3rver";

const server = new S3rver({
  address: "127.0.0.1",
  port: 0,
  silent: true,
  directory: process.env.FOLDER,
  configureBuckets: [{ name: process.env.BUCKET }],
});
const { port } = await server.run();
console.log(JSON.stringify({ s3: `http://127.0.0.1:${port}` }));
