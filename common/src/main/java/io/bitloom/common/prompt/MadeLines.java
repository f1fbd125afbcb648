package io.bitloom.common.prompt;

import java.io.IOException;
import java.io.InputStream;

/** Bytes that are made some at a time. */
abstract class MadeLines extends InputStream {

  private byte[] pending = new byte[0];
  private int at;

  /** Makes some more; null after the last ones. */
  protected abstract byte[] more() throws IOException;

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  /** That of the class above would keep the errors of all bytes but the first to itself. */
  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    while (at == pending.length && length > 0) {
      byte[] made = more();
      if (made == null) {
        return -1;
      }
      pending = made;
      at = 0;
    }
    int count = Math.min(length, pending.length - at);
    System.arraycopy(pending, at, bytes, offset, count);
    at += count;
    return count;
  }
}
