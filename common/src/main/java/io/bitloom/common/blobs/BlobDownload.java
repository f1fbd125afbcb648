package io.bitloom.common.blobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.github.resilience4j.core.IntervalFunction;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.function.LongConsumer;

/**
 * Brings a file of a known digest. What comes is kept in a file beside it that ends in {@code
 * .part}, from which this or another process goes on after a broken connection. The file gets its
 * name when all of it is there and its SHA-256 is right.
 */
public final class BlobDownload {

  /** So many attempts in a row bring nothing before it is given up. */
  private static final int ATTEMPTS = 6;

  private static final IntervalFunction PAUSES =
      IntervalFunction.ofExponentialRandomBackoff(
          Duration.ofMillis(200), 2, 0.5, Duration.ofSeconds(5));

  private static final String PART = ".part";
  private static final int BUFFER = 256 << 10;

  /** Where the file comes from. */
  public interface Source {

    /**
     * Opens the file at an offset.
     *
     * @throws IOException if another attempt may help; what else is thrown ends the download
     */
    InputStream from(long offset) throws IOException;
  }

  private final Path file;
  private final Path part;
  private final String sha256;
  private final long sizeBytes;
  private final LongConsumer arrived;
  private MessageDigest digest;
  private long received;

  private BlobDownload(Path file, String sha256, long sizeBytes, LongConsumer arrived) {
    this.file = file;
    this.part = file.resolveSibling(file.getFileName() + PART);
    this.sha256 = sha256;
    this.sizeBytes = sizeBytes;
    this.arrived = arrived;
  }

  /**
   * Brings a file and waits for it.
   *
   * @param file its folder is there
   * @param sha256 its digest in hexadecimal
   * @param arrived is told now and then how many bytes are there
   * @throws IOException if it does not come, or cannot be written
   * @throws BitloomException {@code RESULT_CORRUPT} if what came has another digest; nothing of it
   *     is kept
   */
  public static void bring(
      Path file, String sha256, long sizeBytes, Source source, LongConsumer arrived)
      throws IOException {
    new BlobDownload(file, sha256, sizeBytes, arrived).run(source);
  }

  private void run(Source source) throws IOException {
    readWhatIsThere();
    arrived.accept(received);
    int attempts = 0;
    while (received < sizeBytes) {
      long before = received;
      try {
        copy(source);
      } catch (IOException e) {
        attempts = received > before ? 1 : attempts + 1;
        if (attempts == ATTEMPTS || e instanceof InterruptedIOException && interrupted()) {
          throw e;
        }
        pause(attempts);
      }
    }
    finish();
  }

  private static boolean interrupted() {
    return Thread.currentThread().isInterrupted();
  }

  private static void pause(int attempts) throws InterruptedIOException {
    try {
      Thread.sleep(PAUSES.apply(attempts));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  private void readWhatIsThere() throws IOException {
    digest = FileDigest.start();
    received = 0;
    if (!Files.exists(part)) {
      return;
    }
    if (Files.size(part) > sizeBytes) {
      Files.delete(part);
      return;
    }
    try (InputStream in = Files.newInputStream(part)) {
      byte[] buffer = new byte[BUFFER];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
        received += n;
      }
    }
  }

  private void copy(Source source) throws IOException {
    try (InputStream in = source.from(received);
        OutputStream out =
            Files.newOutputStream(part, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      byte[] buffer = new byte[BUFFER];
      while (received < sizeBytes) {
        int n = in.read(buffer, 0, (int) Math.min(buffer.length, sizeBytes - received));
        if (n < 0) {
          throw new EOFException("the file ends after " + received + " of " + sizeBytes + " bytes");
        }
        out.write(buffer, 0, n);
        digest.update(buffer, 0, n);
        received += n;
        arrived.accept(received);
      }
    }
  }

  private void finish() throws IOException {
    String found = FileDigest.text(digest.digest());
    if (!found.equals(sha256)) {
      Files.deleteIfExists(part);
      throw new BitloomException(
          ErrorCode.RESULT_CORRUPT,
          "what came has the SHA-256 " + found + ", not " + sha256 + "; nothing of it is kept");
    }
    try (FileChannel channel =
        FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
