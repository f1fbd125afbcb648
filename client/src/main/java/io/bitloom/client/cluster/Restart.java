package io.bitloom.client.cluster;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/**
 * A program has ended and will be started again.
 *
 * @param program its name
 * @param exitCode how it ended; 128 and its number for a signal
 * @param delay until it is started
 * @param log file with what it said
 */
public record Restart(String program, int exitCode, Duration delay, Path log) {

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "the %s ended with exit code %d, starting it again in %.1f s (%s)",
        program,
        exitCode,
        delay.toMillis() / 1000.0,
        log);
  }
}
