// Runs the official Deploy CLI: node deploy_cli.cjs export|import FOLDER, its settings as JSON on standard input.
// Dropping the rules for texts of prompts (99 % of its schema) saves an import 1.8 GB and nine seconds; its own limit of
// calls a second and its pauses are for Auth0's servers. The rest of the tool is as published.
const pools = require('promise-pool-executor');
const Pool = pools.PromisePoolExecutor;
pools.PromisePoolExecutor = class extends Pool {
  constructor(options) {
    super({ ...options, frequencyLimit: Infinity });
  }
};
require('auth0-deploy-cli/lib/tools/utils').sleep = async () => {};
const schema = require('auth0-deploy-cli/lib/tools/auth0/schema');
delete (schema.default || schema).properties.prompts;
const { dump, deploy } = require('auth0-deploy-cli');

const [action, folder] = process.argv.slice(2);
const config = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const work =
  action === 'export'
    ? dump({ output_folder: folder, format: 'directory', config, env: false })
    : deploy({ input_file: folder, config, env: false });
work.then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
