package io.bitloom.client.input;

import io.bitloom.common.prompt.PromptFileException;
import io.bitloom.common.prompt.PromptLineReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;

/**
 * Reads a pipe into a file. Opening a pipe waits for somebody who writes into it, and reading it
 * for what they write, so both are done by a thread of their own: what does not come is said and
 * given up.
 */
final class Spool {

  static final Duration FOREVER = Duration.ofDays(365);

  private static final Duration WRITER_PATIENCE = Duration.ofSeconds(5);
  private static final Duration FIRST_NOTE = Duration.ofSeconds(3);
  private static final long LOOK_MILLIS = 100;

  /** Some ten million prompts; an endless pipe must not fill the disk. */
  private static final long MAX_BYTES = 8L << 30;

  /** What is to be read. */
  interface Source {
    InputStream open() throws IOException;
  }

  private final String name;
  private final Duration patience;
  private final BiConsumer<String, String> notes;
  private volatile boolean opened;
  private volatile long bytes;

  /**
   * @param name of the pipe, for messages
   * @param patience how long it may be silent before its first byte
   * @param notes told of a file's name and what is worth knowing about it
   */
  Spool(String name, Duration patience, BiConsumer<String, String> notes) {
    this.name = name;
    this.patience = patience;
    this.notes = notes;
  }

  /**
   * Reads to the end.
   *
   * @param file where it goes
   * @throws PromptFileException if nobody writes into the pipe, nothing comes, or what comes is no
   *     text
   */
  void fill(Source source, Path file) throws IOException {
    CompletableFuture<Void> done = new CompletableFuture<>();
    Thread reader = new Thread(() -> read(source, file, done), "spool");
    reader.setDaemon(true);
    reader.start();
    await(done);
  }

  private void read(Source source, Path file, CompletableFuture<Void> done) {
    try (InputStream in = source.open();
        OutputStream out = Files.newOutputStream(file, StandardOpenOption.WRITE)) {
      opened = true;
      byte[] chunk = new byte[PromptLineReader.HEAD_BYTES];
      int head = 0;
      // As the bytes come, so that it shows that some came.
      for (int n = in.read(chunk); n >= 0; n = in.read(chunk, head, chunk.length - head)) {
        bytes += n;
        head += n;
        if (head == chunk.length) {
          checkedWrite(chunk, out);
          head = 0;
        }
      }
      out.write(Arrays.copyOf(chunk, head));
      done.complete(null);
    } catch (IOException | RuntimeException e) {
      done.completeExceptionally(e);
    }
  }

  private void checkedWrite(byte[] chunk, OutputStream out) throws IOException {
    if (bytes == chunk.length) {
      PromptLineReader.refuseBinary(name, chunk);
    }
    if (bytes > MAX_BYTES) {
      throw new PromptFileException(name, "has no end within " + MAX_BYTES + " bytes");
    }
    out.write(chunk);
  }

  private void await(CompletableFuture<Void> done) throws IOException {
    long start = System.nanoTime();
    boolean said = false;
    while (true) {
      try {
        done.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        return;
      } catch (TimeoutException e) {
        Duration waited = Duration.ofNanos(System.nanoTime() - start);
        refuseSilence(waited);
        if (!said && bytes == 0 && waited.compareTo(FIRST_NOTE) > 0 && patience != FOREVER) {
          said = true;
          say("waiting for prompts");
        }
      } catch (ExecutionException e) {
        if (e.getCause() instanceof IOException known) {
          throw known;
        }
        throw new IOException(name + ": " + e.getCause(), e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while reading " + name, e);
      }
    }
  }

  private void refuseSilence(Duration waited) throws PromptFileException {
    if (!opened && waited.compareTo(WRITER_PATIENCE) > 0) {
      throw new PromptFileException(name, "is a pipe that nobody writes into");
    }
    if (bytes == 0 && waited.compareTo(patience) > 0) {
      throw new PromptFileException(
          name,
          "is a pipe through which nothing came for "
              + patience.toSeconds()
              + " s; --patience waits longer");
    }
  }

  /** Says something about the pipe. */
  void say(String note) {
    notes.accept(name, note);
  }
}
