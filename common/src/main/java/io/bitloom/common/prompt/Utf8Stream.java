package io.bitloom.common.prompt;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * A text in another encoding as UTF-8. What is malformed becomes a byte that UTF-8 has not, so that
 * the line that it stands in is known to be bad.
 */
final class Utf8Stream extends InputStream {

  private static final int BUFFER_BYTES = 1 << 14;
  private static final byte[] MALFORMED = {(byte) 0xFF};

  private final InputStream in;
  private final CharsetDecoder decoder;
  private final ByteBuffer source = ByteBuffer.allocate(BUFFER_BYTES).flip();
  private ByteBuffer utf8 = ByteBuffer.allocate(0);
  private boolean ended;

  Utf8Stream(InputStream in, Charset charset) {
    this.in = in;
    this.decoder =
        charset
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  /** That of the class above would keep the errors of all bytes but the first to itself. */
  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    while (length > 0 && !utf8.hasRemaining()) {
      if (ended && !source.hasRemaining()) {
        return -1;
      }
      decodeMore();
    }
    int count = Math.min(length, utf8.remaining());
    utf8.get(bytes, offset, count);
    return count;
  }

  private void decodeMore() throws IOException {
    CharBuffer characters = CharBuffer.allocate(BUFFER_BYTES);
    CoderResult result = decoder.decode(source, characters, ended);
    if (characters.position() > 0) {
      utf8 = StandardCharsets.UTF_8.encode(characters.flip());
    } else if (result.isError()) {
      source.position(source.position() + result.length());
      decoder.reset();
      utf8 = ByteBuffer.wrap(MALFORMED);
    } else if (!ended) {
      fill();
    }
  }

  private void fill() throws IOException {
    source.compact();
    int count = in.read(source.array(), source.position(), source.remaining());
    ended = count < 0;
    source.position(source.position() + Math.max(0, count)).flip();
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
