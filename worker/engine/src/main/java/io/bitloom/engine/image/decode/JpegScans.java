package io.bitloom.engine.image.decode;

import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;
import javax.imageio.stream.ImageInputStream;

/** The scans of a JPEG file: whether all are there, and where they end. */
final class JpegScans {
  private static final int COEFFICIENTS = 64;
  private static final int MOST = 1000;
  private static final int NEVER = -1;

  private final ImageInputStream stream;
  private final byte[] buffer = new byte[1 << 13];
  private int filled;
  private int at;

  private JpegScans(ImageInputStream stream) {
    this.stream = stream;
  }

  /**
   * Looks for the end of the picture.
   *
   * @return where its end marker ends
   * @throws IOException if the end or a part of a progressive picture is missing
   */
  static long end(ImageInputStream stream, JpegSegments segments) throws IOException {
    stream.seek(segments.firstScan);
    JpegScans scans = new JpegScans(stream);
    int[][] precision = new int[segments.components.length][COEFFICIENTS];
    for (int[] component : precision) {
      Arrays.fill(component, NEVER);
    }
    int count = 0;
    try {
      for (int marker = scans.marker(); marker != 0xd9; marker = scans.marker()) {
        if (marker == 0xda && ++count > MOST) {
          throw new IOException("is damaged: more than " + MOST + " JPEG scans");
        }
        if (marker != 1) {
          scans.segment(marker == 0xda, segments, precision);
        }
      }
    } catch (EOFException e) {
      throw new IOException("is cut off: the end of the JPEG data is missing", e);
    }
    for (int[] component : precision) {
      int first = segments.progressive() ? COEFFICIENTS : 1;
      for (int i = 0; i < first; i++) {
        if (component[i] != 0) {
          throw new IOException("is cut off: JPEG scans are missing");
        }
      }
    }
    return stream.getStreamPosition() - scans.filled + scans.at;
  }

  /** The next marker that is no restart and no stuffed byte. */
  private int marker() throws IOException {
    while (true) {
      while (next() != 0xff) {}
      int marker = next();
      while (marker == 0xff) {
        marker = next();
      }
      if (marker != 0 && (marker < 0xd0 || marker > 0xd7)) {
        return marker;
      }
    }
  }

  private int next() throws IOException {
    if (at == filled) {
      filled = stream.read(buffer, 0, buffer.length);
      at = 0;
      if (filled <= 0) {
        filled = 0;
        throw new EOFException();
      }
    }
    return buffer[at++] & 0xff;
  }

  /**
   * Passes over a segment; of a scan's header, notes which bits of which coefficients it brings.
   */
  private void segment(boolean scan, JpegSegments segments, int[][] precision) throws IOException {
    int length = (next() << 8 | next()) - 2;
    byte[] body = new byte[Math.max(0, length)];
    for (int i = 0; i < body.length; i++) {
      body[i] = (byte) next();
    }
    if (!scan) {
      return;
    }
    int count = body.length > 0 ? body[0] : 0;
    if (count < 1 || count > 4 || body.length < 4 + 2 * count) {
      throw new IOException("is damaged: the header of a JPEG scan");
    }
    int from = segments.progressive() ? body[1 + 2 * count] & 63 : 0;
    int to = segments.progressive() ? body[2 + 2 * count] & 63 : COEFFICIENTS - 1;
    int bit = segments.progressive() ? body[3 + 2 * count] & 15 : 0;
    for (int i = 0; i < count; i++) {
      for (int c = 0; c < precision.length; c++) {
        if (segments.components[c] == (body[1 + 2 * i] & 0xff) && from <= to) {
          Arrays.fill(precision[c], from, to + 1, bit);
        }
      }
    }
  }
}
