package io.bitloom.engine.tensor.link;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** What GNU's {@code readelf} reads in a library. */
public final class Readelf {
  private Readelf() {}

  /** Whether it is installed. */
  public static boolean present() {
    try {
      return new ProcessBuilder("readelf", "--version")
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** The values of an entry of the dynamic section, such as {@code NEEDED}. */
  public static List<String> values(Path file, String entry) throws IOException {
    Process readelf = new ProcessBuilder("readelf", "-d", "-W", file.toString()).start();
    String said = new String(readelf.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return Pattern.compile("\\(" + entry + "\\).*\\[(.*)\\]")
        .matcher(said)
        .results()
        .map((MatchResult found) -> found.group(1))
        .toList();
  }
}
