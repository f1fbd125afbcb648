package io.bitloom.common.prompt;

import java.nio.ByteBuffer;

/** Bytes that are there already. */
final class MemoryBytes extends SeekableBytes {

  private final ByteBuffer bytes;

  MemoryBytes(byte[] bytes) {
    this.bytes = ByteBuffer.wrap(bytes);
  }

  @Override
  public long size() {
    return bytes.capacity();
  }

  @Override
  public long position() {
    return bytes.position();
  }

  @Override
  public void seek(long position) {
    bytes.position((int) position);
  }

  @Override
  public int read() {
    return bytes.hasRemaining() ? bytes.get() & 0xFF : -1;
  }

  @Override
  public int read(byte[] into, int offset, int length) {
    int count = Math.min(length, bytes.remaining());
    bytes.get(into, offset, count);
    return count == 0 && length > 0 ? -1 : count;
  }
}
