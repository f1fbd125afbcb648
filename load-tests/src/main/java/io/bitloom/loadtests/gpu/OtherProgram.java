package io.bitloom.loadtests.gpu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Programs of the machine that are asked something. */
final class OtherProgram {
  private static final int PATIENCE_S = 240;

  private OtherProgram() {}

  /**
   * What a program prints.
   *
   * @param input what it reads
   * @throws IOException if it cannot be started, fails or does not end; the message has its last
   *     error
   */
  static String run(List<String> command, String input) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).start();
    CompletableFuture<String> out = text(process, true);
    CompletableFuture<String> errors = text(process, false);
    try {
      try (var stdin = process.getOutputStream()) {
        stdin.write(input.getBytes(StandardCharsets.UTF_8));
      } catch (IOException e) {
        // It ended without reading; how it ended says why.
      }
      String said = out.get(PATIENCE_S, TimeUnit.SECONDS);
      if (process.waitFor() != 0) {
        String error = errors.get().strip(); // the last line of it says why
        throw new IOException(
            command.get(0) + " failed: " + error.substring(error.lastIndexOf('\n') + 1));
      }
      return said.strip();
    } catch (TimeoutException e) {
      throw new IOException(command.get(0) + " did not end in " + PATIENCE_S + " s", e);
    } catch (ExecutionException e) {
      throw new IOException(command.get(0) + ": " + e.getCause().getMessage(), e);
    } finally {
      process.destroyForcibly();
    }
  }

  private static CompletableFuture<String> text(Process process, boolean standard) {
    return CompletableFuture.supplyAsync(
        () -> {
          try (var stream = standard ? process.getInputStream() : process.getErrorStream()) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }
}
