package io.bitloom.engine.image.decode;

import java.io.IOException;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.ImageInputStreamImpl;

/** Tables of a JPEG file and then its scans, without a copy of these. */
final class JpegStream extends ImageInputStreamImpl {
  private final byte[] tables;
  private final ImageInputStream file;
  private final long firstScan;
  private final long length;

  /**
   * A stream of its own over a file's stream, which moves with this one.
   *
   * @param end where the last scan ends in the file
   */
  JpegStream(byte[] tables, ImageInputStream file, long firstScan, long end) {
    this.tables = tables;
    this.file = file;
    this.firstScan = firstScan;
    this.length = tables.length + end - firstScan;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] to, int offset, int wanted) throws IOException {
    checkClosed();
    bitOffset = 0;
    if (wanted == 0) {
      return 0;
    }
    int count = (int) Math.min(wanted, length - streamPos);
    if (count <= 0) {
      return -1;
    }
    if (streamPos < tables.length) {
      count = (int) Math.min(count, tables.length - streamPos);
      System.arraycopy(tables, (int) streamPos, to, offset, count);
    } else {
      file.seek(firstScan + streamPos - tables.length);
      count = file.read(to, offset, count);
    }
    streamPos += Math.max(0, count);
    return count;
  }

  @Override
  public long length() {
    return length;
  }
}
