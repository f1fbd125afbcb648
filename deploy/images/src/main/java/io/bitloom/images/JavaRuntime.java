package io.bitloom.images;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;

/**
 * A Java runtime to carry: the modules that Bitloom and its libraries use, of the JDK that builds.
 */
public final class JavaRuntime {

  private static final List<String> MODULES =
      List.of(
          "java.base",
          "java.desktop", // ImageIO
          "java.logging",
          "java.management",
          "java.naming",
          "java.net.http",
          "java.sql",
          "java.xml",
          "jdk.crypto.ec",
          "jdk.httpserver",
          "jdk.jfr",
          "jdk.management",
          "jdk.unsupported",
          "jdk.zipfs");

  private JavaRuntime() {}

  /**
   * Makes it in a folder that does not exist yet.
   *
   * @return its version
   * @throws IOException if this Java has no jlink, or it fails
   */
  public static String link(Path folder) throws IOException, InterruptedException {
    Path home = Path.of(System.getProperty("java.home"));
    Path jlink = home.resolve("bin/jlink");
    if (!Files.isExecutable(jlink)) {
      throw new IOException("needs a JDK with jlink, and there is no " + jlink);
    }
    Command.run(
        folder.toAbsolutePath().getParent(),
        List.of(
            jlink.toString(),
            "--add-modules",
            String.join(",", MODULES),
            "--strip-java-debug-attributes",
            "--no-header-files",
            "--no-man-pages",
            "--output",
            folder.toAbsolutePath().toString()));
    return System.getProperty("java.runtime.version");
  }

  /** Who made the JDK that builds. */
  static String vendor() throws IOException {
    Properties release = new Properties();
    Path file = Path.of(System.getProperty("java.home"), "release");
    if (Files.exists(file)) {
      try (var reader = Files.newBufferedReader(file)) {
        release.load(reader);
      }
    }
    return release.getProperty("IMPLEMENTOR", System.getProperty("java.vendor")).replace("\"", "");
  }
}
