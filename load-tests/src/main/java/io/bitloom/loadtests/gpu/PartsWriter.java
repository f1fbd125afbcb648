package io.bitloom.loadtests.gpu;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/**
 * Cuts what is written into files {@code part-000}, {@code part-001}…, with their SHA-256 in {@code
 * parts.sha256} and that of all together in {@code whole.sha256}, as {@code sha256sum -c} reads
 * them.
 */
final class PartsWriter extends OutputStream {
  private final Path folder;
  private final long partBytes;
  private final MessageDigest ofAll = sha256();
  private final List<String> digests = new ArrayList<>();

  private OutputStream part;
  private MessageDigest ofPart;
  private long left;
  private long written;

  PartsWriter(Path folder, long partBytes) {
    this.folder = folder;
    this.partBytes = partBytes;
  }

  @Override
  public void write(int one) throws IOException {
    write(new byte[] {(byte) one}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int from, int count) throws IOException {
    int at = from;
    while (at < from + count) {
      if (left == 0) {
        next();
      }
      int fits = (int) Math.min(left, from + count - at);
      part.write(bytes, at, fits);
      ofPart.update(bytes, at, fits);
      ofAll.update(bytes, at, fits);
      at += fits;
      left -= fits;
      written += fits;
    }
  }

  private void next() throws IOException {
    endPart();
    part = Files.newOutputStream(folder.resolve(name(digests.size())));
    ofPart = sha256();
    left = partBytes;
  }

  private static String name(int number) {
    return String.format(Locale.ROOT, "part-%03d", number);
  }

  private void endPart() throws IOException {
    if (part != null) {
      part.close();
      digests.add(line(ofPart, name(digests.size())));
      part = null;
    }
  }

  private static String line(MessageDigest digest, String name) {
    return HexFormat.of().formatHex(digest.digest()) + "  " + name + "\n";
  }

  /** Ends the last part and writes the digests. */
  GpuPack.Packed finish() throws IOException {
    endPart();
    Files.writeString(folder.resolve("parts.sha256"), String.join("", digests));
    Files.writeString(folder.resolve("whole.sha256"), line(ofAll, "-"));
    return new GpuPack.Packed(digests.size(), written);
  }

  @Override
  public void close() throws IOException {
    if (part != null) {
      part.close();
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
