import type { Socket } from 'node:net';
import { AbstractMessageWriter, type Message, type MessageWriter } from 'vscode-jsonrpc/node.js';

/**
 * Writes messages with `Content-Length` headers as `SocketMessageWriter` does, but never rejects: vscode-jsonrpc
 * throws such a rejection where nobody can catch it, so a peer that dies while it is asked something would end
 * this process too. That the peer is gone is told by the socket's `close`, which fails every pending call.
 */
export class SocketWriter extends AbstractMessageWriter implements MessageWriter {
  constructor(private readonly socket: Socket) {
    super();
  }

  write(message: Message): Promise<void> {
    const body = Buffer.from(JSON.stringify(message));
    if (this.socket.writable)
      this.socket.write(Buffer.concat([Buffer.from(`Content-Length: ${body.byteLength}\r\n\r\n`), body]));
    return Promise.resolve();
  }

  end(): void {
    this.socket.end();
  }
}
