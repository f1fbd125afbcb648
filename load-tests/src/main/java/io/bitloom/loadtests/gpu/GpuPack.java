package io.bitloom.loadtests.gpu;

import io.bitloom.images.JavaRuntime;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a sitting needs on a machine without Java and network: a runtime, jars, flags, the template
 * of models and a script, as one archive that is cut into parts.
 */
final class GpuPack {
  private static final String WORKER = "worker/service/target";
  private static final String LOAD_TESTS = "load-tests/target";

  /** Of the repository, at the same place in the pack. */
  private static final List<String> FILES =
      List.of(
          "LICENSE",
          "deploy/jvm/all.args",
          "deploy/jvm/engine.args",
          "deploy/jvm/engine.env",
          "load-tests/gpu/yardstick.py",
          "load-tests/models/full125m/model.json");

  private final Path home;
  private final String classPath;

  /** What was written. */
  record Packed(int parts, long bytes) {}

  /**
   * @param home the repository
   * @param classPath of the benchmarks, as {@code ./bitloom} puts it together
   */
  GpuPack(Path home, String classPath) throws IOException {
    this.home = home.toRealPath();
    this.classPath = classPath;
  }

  /**
   * Writes a pack.
   *
   * @param out an empty folder, or none
   * @param partBytes largest size of a part
   */
  Packed write(Path out, long partBytes) throws IOException, InterruptedException {
    Files.createDirectories(out);
    try (Stream<Path> there = Files.list(out)) {
      if (there.findAny().isPresent()) {
        throw new IOException(out + " is not empty");
      }
    }
    Path work = Files.createTempDirectory(out, "work");
    try {
      gather(Files.createDirectory(work.resolve("bitloom")));
      Packed packed = cut(work, out, partBytes);
      Files.copy(home.resolve("load-tests/gpu/run"), out.resolve("run"));
      return packed;
    } finally {
      delete(work);
    }
  }

  private void gather(Path folder) throws IOException, InterruptedException {
    JavaRuntime.link(folder.resolve("java"));
    for (String file : FILES) {
      Path copy = folder.resolve(file);
      Files.createDirectories(copy.getParent());
      Files.copy(home.resolve(file), copy);
    }
    Path jars = Files.createDirectory(folder.resolve("lib"));
    for (Path jar : jars().values()) {
      Files.copy(jar, jars.resolve(jar.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
    }
  }

  /** The worker's class path and the benchmarks, by name. */
  private Map<String, Path> jars() throws IOException {
    Map<String, Path> jars = new LinkedHashMap<>();
    for (String entry : classPath.split(File.pathSeparator)) {
      Path jar = Path.of(entry).toAbsolutePath().normalize();
      boolean wanted =
          jar.startsWith(home.resolve(WORKER)) || jar.getParent().equals(home.resolve(LOAD_TESTS));
      if (wanted && Files.isRegularFile(jar)) {
        jars.put(jar.getFileName().toString(), jar);
      }
    }
    // A folder that was built for both has both; libtorch for GPUs computes on CPUs as well.
    jars.keySet().removeIf(name -> jars.containsKey(name.replaceFirst("\\.jar$", "-gpu.jar")));
    if (jars.isEmpty()) {
      throw new IOException("no jar of " + home + " is on the class path " + classPath);
    }
    return jars;
  }

  /** Archives a folder, and cuts the archive as it comes. */
  private static Packed cut(Path work, Path out, long partBytes)
      throws IOException, InterruptedException {
    // Jars are most of it, which a slower gzip makes no smaller.
    List<String> command =
        List.of(
            "tar",
            "--sort=name",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            "--use-compress-program=gzip -1",
            "-cf",
            "-",
            "bitloom");
    Process tar =
        new ProcessBuilder(command)
            .directory(work.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (InputStream archive = tar.getInputStream();
        PartsWriter parts = new PartsWriter(out, partBytes)) {
      archive.transferTo(parts);
      if (tar.waitFor() != 0) {
        throw new IOException(String.join(" ", command) + " failed");
      }
      return parts.finish();
    } finally {
      tar.destroyForcibly();
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
