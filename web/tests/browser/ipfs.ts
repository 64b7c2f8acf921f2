/** A node of IPFS for a test: the one that the tests of the program ask, with its own packages. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface IpfsNode {
  address: string;
  stop: () => void;
}

export async function startIpfs(): Promise<IpfsNode> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const packages = join(cache, 'heirloom/tools/ipfs-1/node_modules');
  if (!existsSync(packages)) throw new Error(`${packages} is missing: run ./dev setup`);
  const folder = mkdtempSync(join(tmpdir(), 'heirloom-browser-ipfs-'));
  cpSync(resolve('../crates/heirloom-testing/ipfs/node.mjs'), join(folder, 'node.mjs'));
  symlinkSync(packages, join(folder, 'node_modules'));
  const node = spawn('node', [join(folder, 'node.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<string>((tell, fail) => {
    node.once('exit', () => fail(new Error('the node ended')));
    node.stdout.on('data', (text: Buffer) => {
      const found = /listening on (\d+)/.exec(text.toString());
      if (found) tell(found[1]!);
    });
  });
  return {
    address: `http://127.0.0.1:${port}`,
    stop: () => {
      node.removeAllListeners('exit');
      node.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  };
}
