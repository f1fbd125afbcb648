package io.bitloom.deploy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The images of this build, made once for all tests that need them. */
final class BuiltImages {

  static final List<String> NAMES =
      List.of("bitloom-coordinator", "bitloom-worker", "bitloom-client");
  static final String TAG = "it";

  private static final Path HOME = Path.of(System.getProperty("bitloom.home", ".."));

  private static Path folder;

  private BuiltImages() {}

  /** Whether this machine has what images are made of. */
  static boolean canBeBuilt() {
    return Files.isExecutable(Path.of("/usr/bin/apt-get"))
        && Files.isExecutable(Path.of("/usr/bin/dpkg-deb"));
  }

  /** The folder with their files. */
  static synchronized Path folder() throws IOException, InterruptedException {
    if (folder == null) {
      Path made = Path.of("target", "images").toAbsolutePath();
      build(made, List.of());
      folder = made;
    }
    return folder;
  }

  /** Builds images into a folder. */
  static void build(Path out, List<String> options) throws IOException, InterruptedException {
    List<String> words =
        new ArrayList<>(
            List.of(
                HOME.resolve("deploy/images/build").toString(),
                "--out",
                out.toString(),
                "--tag",
                TAG));
    words.addAll(options);
    Execution.of(words).environment("BITLOOM_BUILD", "never").succeed();
  }
}
